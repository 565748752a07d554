import { EpochMicros } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import type { AnswerSelection, Outbox, OutboxEntry, VanishedAnswer } from '../../../core/ports/ledger.ts'
import { announce } from '../../../core/steps.ts'
import { addMs, MINUTE, toIso } from '../../../core/time.ts'
import { slotsKeptMs } from '../common/retention.ts'
import { entryOf } from '../common/rows.ts'
import { toLedger } from './moment.ts'
import type { Row, Server } from './server.ts'
import type { PostgresStore } from './store.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** Answers of megabytes are held in memory together. */
const pageSize = 20

export interface OutboxParts {
  readonly server: Server
  readonly store: PostgresStore
  readonly transactions: Transactions
  /** What waits in the spool is an answer too: it comes first. */
  readonly drained: () => Promise<void>
}

/** The answers in the server's tables. Writes go through the transactions; looks do not lock. */
export class PostgresOutbox implements Outbox {
  readonly #parts: OutboxParts

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /** A lease far beyond any that is asked for was written by a clock that jumped: it does not count. */
  acquireLease(holder: string, now: EpochMicros, leaseMs: number): Promise<boolean> {
    return this.#write(async ({ session, moment }) => {
      const at = toLedger(moment, now)
      const { rowCount } = await session.query(takeLease, [
        holder,
        addMs(at, leaseMs),
        at,
        addMs(at, leaseMs + 10 * MINUTE),
      ])
      return rowCount === 1
    })
  }

  async releaseLease(holder: string): Promise<void> {
    await this.#write(({ session }) => session.query('DELETE FROM lease WHERE holder = $1', [holder]))
  }

  async pending(limit: number): Promise<readonly OutboxEntry[]> {
    await this.#parts.drained()
    const sql = 'SELECT * FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT $1'
    return (await this.#parts.server.rows(sql, [limit])).map(postgresEntry)
  }

  async markPublished(answerIds: readonly string[], now: EpochMicros): Promise<void> {
    if (answerIds.length === 0) return
    const found = await this.#parts.server.rows(
      'SELECT answer_id, slot FROM outbox WHERE answer_id = ANY($1)',
      [answerIds],
    )
    const slots = new Map(found.map(row => [String(row['answer_id']), String(row['slot'])]))
    for (const id of answerIds)
      if (!slots.has(id)) throw new CryptosError('CRY_USAGE', `no answer ${id} in the outbox`)
    await this.#write(transaction => this.#mark(transaction, slots, now), [...slots.values()])
    announce('marked', answerIds.join(','))
  }

  async #mark(
    { session, moment }: Transaction,
    slots: ReadonlyMap<string, string>,
    now: EpochMicros,
  ): Promise<void> {
    const at = toLedger(moment, now)
    const { rows } = await session.query<Row>(
      'UPDATE outbox SET published_at = $1 WHERE answer_id = ANY($2) AND published_at IS NULL RETURNING size',
      [at, [...slots.keys()]],
    )
    this.#parts.store.addPendingBytes(-totalOf(rows))
    for (const [answerId, slot] of slots)
      this.#parts.store.unit.change({ kind: 'publish', slot, answerId, at })
  }

  async *between(from: EpochMicros, to: EpochMicros): AsyncIterable<OutboxEntry> {
    const sql =
      'SELECT * FROM outbox WHERE (received_at, id) > ($1, $2) AND received_at < $3 ORDER BY received_at, id LIMIT $4'
    let after: readonly [number, number] = [from - 1, Number.MAX_SAFE_INTEGER]
    for (;;) {
      const rows = await this.#parts.server.rows(sql, [...after, to, pageSize])
      yield* rows.map(postgresEntry)
      const last = rows.at(-1)
      if (!last || rows.length < pageSize) return
      after = [Number(last['received_at']), Number(last['id'])]
    }
  }

  async vanished(from: EpochMicros, to: EpochMicros): Promise<readonly VanishedAnswer[]> {
    const rows = await this.#parts.server.rows(vanished, [from, to])
    return rows.map(row => ({
      answerId: String(row['answer_id']),
      at: EpochMicros(Number(row['updated_at'])),
    }))
  }

  republish(ageMs: number, now: EpochMicros, of: AnswerSelection = {}): Promise<number> {
    const { provider = null, receivedFrom = 0, receivedTo = Number.MAX_SAFE_INTEGER } = of
    return this.#write(async ({ session, moment }) => {
      const since = Math.max(0, toLedger(moment, now) - ageMs * 1_000)
      const { rows } = await session.query<Row>(republish, [since, receivedFrom, receivedTo, provider])
      this.#parts.store.addPendingBytes(totalOf(rows))
      return rows.length
    })
  }

  prune(olderThan: EpochMicros): Promise<number> {
    return this.#write(async ({ session, moment }) => {
      const before = toLedger(moment, olderThan)
      const slotsBefore = EpochMicros(Math.max(0, before - slotsKeptMs * 1_000))
      await session.query(pruneSlots, [toIso(slotsBefore), slotsBefore])
      const { rowCount } = await session.query('DELETE FROM outbox WHERE published_at < $1', [before])
      if (!rowCount) return 0
      await session.query('UPDATE ledger SET pruned_before = $1 WHERE pruned_before < $1', [before])
      return rowCount
    })
  }

  async stats(): Promise<{ pending: number; bytes: number; oldestPendingAt: EpochMicros | null }> {
    const [row] = await this.#parts.server.rows(
      'SELECT count(*) AS pending, coalesce(sum(size), 0) AS bytes, min(received_at) AS oldest FROM outbox WHERE published_at IS NULL',
    )
    const oldest = row?.['oldest'] ?? null
    return {
      pending: Number(row?.['pending'] ?? 0),
      bytes: Number(row?.['bytes'] ?? 0),
      oldestPendingAt: oldest === null ? null : EpochMicros(Number(oldest)),
    }
  }

  #write<T>(run: (transaction: Transaction) => T | Promise<T>, slots: readonly string[] = []): Promise<T> {
    return this.#parts.transactions.submit(transaction => {
      this.#parts.store.touch()
      return run(transaction)
    }, slots)
  }
}

const takeLease = `INSERT INTO lease(one, holder, until) VALUES (1, $1, $2)
ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder OR lease.until <= $3 OR lease.until > $4`

const republish = `UPDATE outbox SET published_at = NULL, revision = revision + 1
WHERE published_at >= $1 AND received_at >= $2 AND received_at < $3 AND provider = coalesce($4, provider) RETURNING size`

const vanished = `SELECT answer_id, updated_at FROM slots
WHERE answer_id IS NOT NULL AND updated_at >= greatest($1::bigint, (SELECT pruned_before FROM ledger)) AND updated_at < $2
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.answer_id = slots.answer_id) ORDER BY slot`

/** The period is the third part of a slot's key. */
const pruneSlots = `DELETE FROM slots
WHERE split_part(slot, '/', 3) COLLATE "C" < $1 AND updated_at < $2 AND state NOT IN ('reserved', 'answered')`

const totalOf = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + Number(row['size']), 0)

const postgresEntry = (row: Row): OutboxEntry => entryOf(row, row['packed'] === true)
