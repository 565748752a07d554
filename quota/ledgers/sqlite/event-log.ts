import { EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { QuotaEvent, QuotaEventKind } from '../../../core/records.ts'
import type { SqlDb } from '../../../host/sqlite.ts'
import type { EventDraft } from '../../policy/events.ts'

/** Newest events that are kept. */
const eventsKept = 100_000
const rowsAtOnce = 500

/** One event as it lies in the file. */
type Line = readonly [
  sequence: number,
  scope: string,
  provider: string,
  at: number,
  what: QuotaEventKind,
  why: string,
  credits: number,
  slot: string | null,
  window: QuotaEvent['window'],
  limit: number | null,
  used: number,
  reserved: number,
  resetsAt: number | null,
]

interface Owner {
  readonly scope: string
  readonly provider: ProviderId
}

/** The ledger's events, 1, 2, 3 … without holes. Those of one commit are one row, under the sequence of its newest. */
export class EventLog {
  readonly #ledger: string
  readonly #sql
  #lines: Line[] = []
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
    return this.#lines.length > 0
  }

  tell(draft: EventDraft, owner: Owner, at: EpochMicros): void {
    this.#newest ??= Number(this.#sql.newest.get()?.['newest'] ?? 0)
    this.#newest += 1
    const { what, why, credits, slot = null, window, limit, used, reserved, resetsAt } = draft
    const { scope, provider } = owner
    this.#lines.push([
      this.#newest,
      scope,
      provider,
      at,
      what,
      why,
      credits,
      slot,
      window,
      limit,
      used,
      reserved,
      resetsAt,
    ])
  }

  /** Inside the transaction. */
  flush(): void {
    if (this.#newest === undefined || this.#lines.length === 0) return
    this.#sql.add.run(this.#newest, JSON.stringify(this.#lines))
    if (this.#newest % 1_000 < this.#lines.length) this.#sql.cut.run(this.#newest - eventsKept)
  }

  finish(): void {
    this.#lines = []
  }

  /** After a rollback, or when another process has written. */
  forget(): void {
    this.#lines = []
    this.#newest = undefined
  }

  /** Newest first unless `after` is given: then oldest first, from there on. */
  read({ limit, after, scope }: { limit: number; after?: number; scope?: string }): readonly QuotaEvent[] {
    const found: Line[] = []
    let place = after ?? Number.MAX_SAFE_INTEGER
    for (;;) {
      const rows = (after === undefined ? this.#sql.before : this.#sql.after).all(place, rowsAtOnce)
      for (const row of rows) found.push(...wantedOf(String(row['body']), after, scope))
      const last = rows.at(-1)
      if (!last || rows.length < rowsAtOnce || found.length >= limit) break
      place = Number(last['sequence'])
    }
    return found.slice(0, limit).map(line => this.#eventOf(line))
  }

  #eventOf(line: Line): QuotaEvent {
    const [sequence, scope, provider, at, what, why, credits, slot, window, limit, used, reserved, resetsAt] =
      line
    return {
      kind: 'quota-event',
      ledger: this.#ledger,
      sequence,
      scope,
      provider: ProviderId(provider),
      at: EpochMicros(at),
      what,
      why,
      credits,
      ...(slot === null ? {} : { slot }),
      window,
      limit,
      used,
      reserved,
      resetsAt: resetsAt === null ? null : EpochMicros(resetsAt),
    }
  }
}

function wantedOf(body: string, after: number | undefined, scope: string | undefined): readonly Line[] {
  const lines = JSON.parse(body) as readonly Line[]
  const wanted = lines.filter(
    l => (after === undefined || l[0] > after) && (scope === undefined || l[1] === scope),
  )
  return after === undefined ? wanted.toReversed() : wanted
}
