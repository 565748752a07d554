import { EpochMicros } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import type {
  AnswerSelection,
  Outbox,
  OutboxEntry,
  RawAnswer,
  VanishedAnswer,
} from '../../../core/ports/ledger.ts'
import { announce } from '../../../core/steps.ts'
import { addMs, MINUTE, toIso } from '../../../core/time.ts'
import type { SqlDb, SqlRow } from '../../../host/sqlite.ts'
import { pack } from '../common/packing.ts'
import { slotsKeptMs } from '../common/retention.ts'
import { entryOf } from '../common/rows.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { SqliteUnit } from './sqlite-unit.ts'

/** Answers of megabytes are held in memory together. */
const pageSize = 20
const columns =
  'o.id, answer_id, provider, dataset, slot, run_id, received_at, http_status, context, credits, published_at, revision, body, packed'
const joined = `SELECT ${columns} FROM outbox o JOIN bodies b ON b.id = o.id`

/** The answers in the ledger's database. Writes go through the commit queue; `#pendingBytes` spares a sum at each reserve. */
export class SqliteOutbox implements Outbox {
  readonly #queue: CommitQueue
  readonly #store: SqliteUnit
  readonly #sql
  #pendingBytes: number | undefined

  constructor(db: SqlDb, queue: CommitQueue, store: SqliteUnit) {
    this.#queue = queue
    this.#store = store
    this.#sql = {
      add: db.prepare(
        `INSERT OR IGNORE INTO outbox(answer_id, provider, dataset, slot, run_id, received_at, http_status, context, credits, size)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      addBody: db.prepare('INSERT INTO bodies(id, body, packed) VALUES (?, ?, ?)'),
      pendingBytes: db.prepare(
        'SELECT count(*) AS pending, coalesce(sum(size), 0) AS bytes, min(received_at) AS oldest FROM outbox WHERE published_at IS NULL',
      ),
      pending: db.prepare(`${joined} WHERE published_at IS NULL ORDER BY o.id LIMIT ?`),
      between: db.prepare(
        `${joined} WHERE (received_at, o.id) > (?, ?) AND received_at < ? ORDER BY received_at, o.id LIMIT ?`,
      ),
      slotOf: db.prepare('SELECT slot FROM outbox WHERE answer_id = ?'),
      mark: db.prepare('UPDATE outbox SET published_at = ? WHERE answer_id = ? AND published_at IS NULL'),
      republish: db.prepare(
        `UPDATE outbox SET published_at = NULL, revision = revision + 1
        WHERE published_at >= ? AND received_at >= ? AND received_at < ? AND provider = coalesce(?, provider)`,
      ),
      vanished: db.prepare(
        `SELECT answer_id, updated_at FROM slots WHERE answer_id IS NOT NULL AND updated_at >= ? AND updated_at < ?
        AND NOT EXISTS (SELECT 1 FROM outbox o JOIN bodies b ON b.id = o.id WHERE o.answer_id = slots.answer_id)`,
      ),
      lease: db.prepare('SELECT holder, until FROM lease WHERE one = 1'),
      takeLease: db.prepare('INSERT OR REPLACE INTO lease(one, holder, until) VALUES (1, ?, ?)'),
      releaseLease: db.prepare('DELETE FROM lease WHERE holder = ?'),
      pruneBodies: db.prepare(
        'DELETE FROM bodies WHERE id IN (SELECT id FROM outbox WHERE published_at < ?)',
      ),
      prune: db.prepare('DELETE FROM outbox WHERE published_at < ?'),
      notePruned: db.prepare(
        `INSERT INTO meta(name, value) VALUES ('pruned-before', ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value
        WHERE CAST(excluded.value AS INTEGER) > CAST(meta.value AS INTEGER)`,
      ),
      prunedBefore: db.prepare("SELECT CAST(value AS INTEGER) AS at FROM meta WHERE name = 'pruned-before'"),
      slotAfter: db.prepare('SELECT slot FROM slots WHERE slot >= ? ORDER BY slot LIMIT 1'),
      pruneSlots: db.prepare(
        `DELETE FROM slots WHERE slot >= ? AND slot < ? AND updated_at < ? AND state NOT IN ('reserved', 'answered')`,
      ),
    } as const
  }

  /** Another process wrote, or a transaction was rolled back. */
  forget(): void {
    this.#pendingBytes = undefined
  }

  /** Bytes of the answers that are not published yet. */
  pendingBytes(): number {
    this.#pendingBytes ??= Number(this.#sql.pendingBytes.get()?.['bytes'] ?? 0)
    return this.#pendingBytes
  }

  /** Inside a transaction: stores an answer once. */
  add(answer: RawAnswer, credits: number): void {
    const { answerId, provider, dataset, slot, runId, receivedAt, httpStatus, context, body } = answer
    const before = this.pendingBytes()
    const { changes, lastInsertRowid } = this.#sql.add.run(
      answerId,
      provider,
      dataset,
      slot,
      runId,
      receivedAt,
      httpStatus,
      context,
      credits,
      body.byteLength,
    )
    if (changes === 0) return
    const stored = pack(body)
    this.#sql.addBody.run(lastInsertRowid, stored.body, stored.packed)
    this.#pendingBytes = before + body.byteLength
    this.#store.touch()
  }

  /** A lease far beyond any that is asked for was written by a clock that jumped: it does not count. */
  acquireLease(holder: string, now: EpochMicros, leaseMs: number): Promise<boolean> {
    return this.#queue.submit(() => {
      const held = this.#sql.lease.get()
      const until = Number(held?.['until'] ?? 0)
      const isForeign = held !== undefined && held['holder'] !== holder
      if (isForeign && until > now && until <= addMs(now, leaseMs + 10 * MINUTE)) return false
      this.#sql.takeLease.run(holder, addMs(now, leaseMs))
      return true
    })
  }

  async releaseLease(holder: string): Promise<void> {
    await this.#queue.submit(() => this.#sql.releaseLease.run(holder))
  }

  async pending(limit: number): Promise<readonly OutboxEntry[]> {
    return this.#sql.pending.all(limit).map(sqliteEntry)
  }

  async markPublished(answerIds: readonly string[], now: EpochMicros): Promise<void> {
    if (answerIds.length === 0) return
    await this.#queue.submit(() => {
      for (const answerId of answerIds) this.#mark(answerId, now)
    })
    announce('marked', answerIds.join(','))
  }

  #mark(answerId: string, now: EpochMicros): void {
    const slot = this.#sql.slotOf.get(answerId)?.['slot']
    if (typeof slot !== 'string') throw new CryptosError('CRY_USAGE', `no answer ${answerId} in the outbox`)
    this.#sql.mark.run(now, answerId)
    this.#store.touch()
    this.#store.unit.change({ kind: 'publish', slot, answerId, at: now })
    this.#pendingBytes = undefined
  }

  async *between(from: EpochMicros, to: EpochMicros): AsyncIterable<OutboxEntry> {
    let after: readonly [number, number] = [from - 1, Number.MAX_SAFE_INTEGER]
    for (;;) {
      const rows = this.#sql.between.all(...after, to, pageSize)
      yield* rows.map(sqliteEntry)
      const last = rows.at(-1)
      if (!last || rows.length < pageSize) return
      after = [Number(last['received_at']), Number(last['id'])]
    }
  }

  async vanished(from: EpochMicros, to: EpochMicros): Promise<readonly VanishedAnswer[]> {
    const keptFrom = Number(this.#sql.prunedBefore.get()?.['at'] ?? 0)
    return this.#sql.vanished
      .all(Math.max(from, keptFrom), to)
      .map(row => ({ answerId: String(row['answer_id']), at: EpochMicros(Number(row['updated_at'])) }))
  }

  republish(ageMs: number, now: EpochMicros, of: AnswerSelection = {}): Promise<number> {
    const { provider = null, receivedFrom = 0, receivedTo = Number.MAX_SAFE_INTEGER } = of
    return this.#queue.submit(() => {
      this.#pendingBytes = undefined
      this.#store.touch()
      const since = Math.max(0, now - ageMs * 1_000)
      return this.#sql.republish.run(since, receivedFrom, receivedTo, provider).changes
    })
  }

  prune(olderThan: EpochMicros): Promise<number> {
    return this.#queue.submit(() => {
      const slotsBefore = EpochMicros(Math.max(0, olderThan - slotsKeptMs * 1_000))
      for (const dataset of this.#datasetsWithSlots()) this.#pruneSlots(`${dataset}/`, slotsBefore)
      this.#store.forgetSlots()
      this.#sql.pruneBodies.run(olderThan)
      const { changes } = this.#sql.prune.run(olderThan)
      if (changes > 0) this.#sql.notePruned.run(olderThan)
      return changes
    })
  }

  /** From the slots themselves: a dataset that never answers has no row in the outbox. One look-up for each. */
  #datasetsWithSlots(): readonly string[] {
    const datasets: string[] = []
    for (let from = ''; ; ) {
      const slot = this.#sql.slotAfter.get(from)?.['slot']
      if (typeof slot !== 'string') return datasets
      const dataset = slot.split('/', 2).join('/')
      datasets.push(dataset)
      // '0' follows '/': past every key that begins with `<dataset>/`.
      from = `${dataset}0`
    }
  }

  #pruneSlots(prefix: string, before: EpochMicros): void {
    this.#sql.pruneSlots.run(prefix, `${prefix}${toIso(before)}`, before)
  }

  async stats(): Promise<{ pending: number; bytes: number; oldestPendingAt: EpochMicros | null }> {
    const row = this.#sql.pendingBytes.get()
    const oldest = row?.['oldest']
    return {
      pending: Number(row?.['pending'] ?? 0),
      bytes: Number(row?.['bytes'] ?? 0),
      oldestPendingAt: typeof oldest === 'number' ? EpochMicros(oldest) : null,
    }
  }
}

const sqliteEntry = (row: SqlRow): OutboxEntry => entryOf(row, row['packed'] === 1)
