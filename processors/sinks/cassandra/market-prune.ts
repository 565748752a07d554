import type { EpochMicros } from '../../../core/brands.ts'
import type { MarketKind } from '../../../core/ports/reader.ts'
import { HOUR } from '../../../core/time.ts'
import { dayOf } from './months.ts'
import { marketTables, shards } from './market-rows.ts'
import type { Row, Session, Statement } from './session.ts'

/** Deletions of one statement's mutation. */
const atOnce = 50
/** Partitions that fail one after another: then it is the server, and not what lies in one of them. */
const failuresInRow = 3
/** A process knows for an hour that it wrote the name of a day (`Known`): such a name must stay. */
const namesStandMicros = 2 * HOUR * 1_000

/** What is removed, and when. */
export interface Pruning {
  readonly kind: MarketKind
  /** Records about moments before it go. */
  readonly before: EpochMicros
  readonly now: EpochMicros
}

interface Part extends Pruning {
  readonly shard: number
  readonly day: number
}

/** What a day had, and whether it still has any. */
interface Pruned {
  removed: number
  left: number
}

/**
 * Removes the records of a kind about moments before; the newest of each series stays. A deletion has the timestamp of what it
 * deletes, so that nothing that comes later is hidden by it. Returns how many.
 * @throws CryptosError of the first partition that failed, after the others were pruned; at once where several fail in a row
 */
export async function pruneMarket(session: Session, pruning: Pruning): Promise<number> {
  const kept = await keptIds(session, pruning.kind)
  const days = await session.run({
    query: `SELECT day FROM ${session.keyspace}.market_days WHERE kind=? AND day<=?`,
    params: [pruning.kind, dayOf(pruning.before)],
  })
  const failed = new Failures()
  let removed = 0
  for (const day of days.map(row => Number(row['day']))) {
    const done: Pruned = { removed: 0, left: 0 }
    for (let shard = 0; shard < shards; shard += 1)
      await failed.orDone(async () => {
        const part = await prunePartition(session, { ...pruning, shard, day }, kept)
        done.removed += part.removed
        done.left += part.left
      })
    removed += done.removed
    // Of the last day there may be records that are not old yet.
    if (failed.ofDay() === 0 && done.left === 0 && day < dayOf(pruning.before))
      await failed.orDone(() => forgetDay(session, pruning, day))
  }
  failed.rethrow()
  return removed
}

/** One partition that can not be read must not keep all the others for ever. */
class Failures {
  readonly #all: unknown[] = []
  #inRow = 0
  #told = 0

  async orDone(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#inRow = 0
    } catch (error) {
      this.#all.push(error)
      this.#inRow += 1
      if (this.#inRow >= failuresInRow) throw error
    }
  }

  /** Those since it was asked last. */
  ofDay(): number {
    const count = this.#all.length - this.#told
    this.#told = this.#all.length
    return count
  }

  rethrow(): void {
    if (this.#all.length > 0) throw this.#all[0]
  }
}

async function keptIds(session: Session, kind: MarketKind): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  const query = `SELECT id FROM ${session.keyspace}.market_latest WHERE kind=?`
  for await (const row of session.pages(query, [kind])) ids.add(String(row['id']))
  return ids
}

async function prunePartition(session: Session, part: Part, kept: ReadonlySet<string>): Promise<Pruned> {
  const { shard, day, before } = part
  const table = `${session.keyspace}.${marketTables[part.kind]}`
  const query = `SELECT at, id, WRITETIME(body) AS version FROM ${table} WHERE shard=? AND day=? AND at<?`
  const all = await Array.fromAsync(session.pages(query, [shard, day, before]))
  const old = all.filter(row => !kept.has(String(row['id'])))
  const left = all.length - old.length
  if (old.length === 0) return { removed: 0, left }
  const deletions = left === 0 ? [rangeOf(table, part, old)] : rowsOf(table, part, old)
  for (let i = 0; i < deletions.length; i += atOnce) await session.batch(deletions.slice(i, i + atOnce))
  return { removed: old.length, left }
}

/**
 * The name of a day without records, else every look and every pruning would ask for it for ever. Deleted as of hours ago: where a
 * late record has come meanwhile, its process wrote the name since, or writes it after the record, and that stands.
 */
async function forgetDay(session: Session, { kind, now }: Pruning, day: number): Promise<void> {
  const query = `DELETE FROM ${session.keyspace}.market_days USING TIMESTAMP ? WHERE kind=? AND day=?`
  await session.run({ query, params: [now - namesStandMicros, kind, day] })
}

/** One deletion for all of them, where nothing between them stays. */
function rangeOf(table: string, { shard, day }: Part, old: readonly Row[]): Statement {
  const version = old.reduce((most, row) => Math.max(most, Number(row['version'])), 0)
  const last = Number(old.at(-1)?.['at'])
  return {
    query: `DELETE FROM ${table} USING TIMESTAMP ? WHERE shard=? AND day=? AND at<=?`,
    params: [version, shard, day, last],
  }
}

const rowsOf = (table: string, { shard, day }: Part, old: readonly Row[]): Statement[] =>
  old.map(row => ({
    query: `DELETE FROM ${table} USING TIMESTAMP ? WHERE shard=? AND day=? AND at=? AND id=?`,
    params: [Number(row['version']), shard, day, Number(row['at']), String(row['id'])],
  }))
