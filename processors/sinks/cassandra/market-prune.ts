import type { EpochMicros } from '../../../core/brands.ts'
import type { MarketKind } from '../../../core/ports/reader.ts'
import { dayOf } from './months.ts'
import { marketTables, shards } from './market-rows.ts'
import type { Row, Session, Statement } from './session.ts'

/** Deletions of one statement's mutation. */
const atOnce = 50

/**
 * Removes the records of a kind about moments before; the newest of each series stays. A deletion has the timestamp of what it
 * deletes, so that nothing that comes later is hidden by it. Returns how many.
 */
export async function pruneMarket(session: Session, kind: MarketKind, before: EpochMicros): Promise<number> {
  const kept = await keptIds(session, kind)
  const days = await session.run({
    query: `SELECT day FROM ${session.keyspace}.market_days WHERE kind=? AND day<=?`,
    params: [kind, dayOf(before)],
  })
  let removed = 0
  for (const row of days)
    for (let shard = 0; shard < shards; shard += 1)
      removed += await prunePartition(session, { kind, shard, day: Number(row['day']), before }, kept)
  return removed
}

async function keptIds(session: Session, kind: MarketKind): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  const query = `SELECT id FROM ${session.keyspace}.market_latest WHERE kind=?`
  for await (const row of session.pages(query, [kind])) ids.add(String(row['id']))
  return ids
}

interface Part {
  readonly kind: MarketKind
  readonly shard: number
  readonly day: number
  readonly before: EpochMicros
}

async function prunePartition(session: Session, part: Part, kept: ReadonlySet<string>): Promise<number> {
  const { shard, day, before } = part
  const table = `${session.keyspace}.${marketTables[part.kind]}`
  const query = `SELECT at, id, WRITETIME(body) AS version FROM ${table} WHERE shard=? AND day=? AND at<?`
  const all = await Array.fromAsync(session.pages(query, [shard, day, before]))
  const old = all.filter(row => !kept.has(String(row['id'])))
  if (old.length === 0) return 0
  const deletions = old.length === all.length ? [rangeOf(table, part, old)] : rowsOf(table, part, old)
  for (let i = 0; i < deletions.length; i += atOnce) await session.batch(deletions.slice(i, i + atOnce))
  return old.length
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
