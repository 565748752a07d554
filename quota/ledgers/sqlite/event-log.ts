import type { EpochMicros } from '../../../core/brands.ts'
import type { QuotaEvent } from '../../../core/records.ts'
import type { SqlDb } from '../../../host/sqlite.ts'
import type { EventDraft } from '../../policy/events.ts'
import { EventRow, type EventsWanted, type Owner, wantedOf } from '../common/event-row.ts'
import { eventsKept } from '../common/retention.ts'

const rowsAtOnce = 500

/** The ledger's events, 1, 2, 3 … without holes. Those of one commit are one row, under the sequence of its newest. */
export class EventLog {
  readonly #ledger: string
  readonly #sql
  #row = new EventRow()
  #newest: number | undefined

  constructor(db: SqlDb, ledger: string) {
    this.#ledger = ledger
    this.#sql = {
      newest: db.prepare('SELECT max(sequence) AS newest FROM events'),
      add: db.prepare('INSERT INTO events(sequence, body) VALUES (?, ?)'),
      cut: db.prepare('DELETE FROM events WHERE sequence <= ?'),
      after: db.prepare('SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?'),
      before: db.prepare(
        'SELECT sequence, body FROM events WHERE sequence < ? ORDER BY sequence DESC LIMIT ?',
      ),
    } as const
  }

  get hasNews(): boolean {
    return this.#row.size > 0
  }

  tell(draft: EventDraft, owner: Owner, at: EpochMicros): void {
    this.#newest ??= Number(this.#sql.newest.get()?.['newest'] ?? 0)
    this.#newest += 1
    this.#row.add(draft, owner, at)
  }

  /** Inside the transaction. */
  flush(): void {
    if (this.#newest === undefined || !this.hasNews) return
    this.#sql.add.run(this.#newest, this.#row.encode())
    if (this.#newest % 1_000 < this.#row.size) this.#sql.cut.run(this.#newest - eventsKept)
  }

  finish(): void {
    if (this.hasNews) this.#row = new EventRow()
  }

  /** After a rollback, or when another process has written. */
  forget(): void {
    this.finish()
    this.#newest = undefined
  }

  /** Newest first unless `after` is given: then oldest first, from there on. */
  read(wanted: EventsWanted): readonly QuotaEvent[] {
    const { limit, after } = wanted
    const found: QuotaEvent[] = []
    let place = after ?? Number.MAX_SAFE_INTEGER
    for (;;) {
      const rows = (after === undefined ? this.#sql.before : this.#sql.after).all(place, rowsAtOnce)
      for (const row of rows) found.push(...wantedOf(this.#ledger, row, wanted))
      const last = rows.at(-1)
      if (!last || rows.length < rowsAtOnce || found.length >= limit) break
      place = Number(last['sequence'])
    }
    return found.slice(0, limit)
  }
}
