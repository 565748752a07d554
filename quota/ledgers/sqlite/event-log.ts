import { EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { QuotaEvent, QuotaEventKind } from '../../../core/records.ts'
import type { SqlDb, SqlRow } from '../../../host/sqlite.ts'
import type { EventDraft } from '../../policy/events.ts'

/** Newest events that are kept. */
const eventsKept = 100_000
const rowsAtOnce = 500

/** What the events of one commit mostly share. */
type Head = readonly [
  scope: string,
  provider: string,
  window: QuotaEvent['window'],
  limit: number | null,
  resetsAt: number | null,
]

/** One event as it lies in the file: `head` is an index into the row's heads. */
type Line = readonly [
  head: number,
  at: number,
  what: QuotaEventKind,
  why: string,
  credits: number,
  slot: string | null,
  used: number,
  reserved: number,
]

/** The events of one commit, sequences ending at the row's own. */
interface Packed {
  readonly heads: readonly Head[]
  readonly lines: readonly Line[]
}

interface Owner {
  readonly scope: string
  readonly provider: ProviderId
}

/** The ledger's events, 1, 2, 3 … without holes. Those of one commit are one row, under the sequence of its newest. */
export class EventLog {
  readonly #ledger: string
  readonly #sql
  #heads: Head[] = []
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
    const { what, why, credits, slot = null, used, reserved } = draft
    this.#lines.push([this.#headOf(draft, owner), at, what, why, credits, slot, used, reserved])
  }

  #headOf({ window, limit, resetsAt }: EventDraft, { scope, provider }: Owner): number {
    const last = this.#heads.at(-1)
    const isSame = last?.[0] === scope && last[2] === window && last[3] === limit && last[4] === resetsAt
    return isSame ? this.#heads.length - 1 : this.#heads.push([scope, provider, window, limit, resetsAt]) - 1
  }

  /** Inside the transaction. */
  flush(): void {
    if (this.#newest === undefined || this.#lines.length === 0) return
    const packed: Packed = { heads: this.#heads, lines: this.#lines }
    this.#sql.add.run(this.#newest, JSON.stringify(packed))
    if (this.#newest % 1_000 < this.#lines.length) this.#sql.cut.run(this.#newest - eventsKept)
  }

  finish(): void {
    if (this.#lines.length === 0) return
    this.#heads = []
    this.#lines = []
  }

  /** After a rollback, or when another process has written. */
  forget(): void {
    this.#heads = []
    this.#lines = []
    this.#newest = undefined
  }

  /** Newest first unless `after` is given: then oldest first, from there on. */
  read({ limit, after, scope }: { limit: number; after?: number; scope?: string }): readonly QuotaEvent[] {
    const found: QuotaEvent[] = []
    let place = after ?? Number.MAX_SAFE_INTEGER
    for (;;) {
      const rows = (after === undefined ? this.#sql.before : this.#sql.after).all(place, rowsAtOnce)
      for (const row of rows) found.push(...this.#wanted(row, after, scope))
      const last = rows.at(-1)
      if (!last || rows.length < rowsAtOnce || found.length >= limit) break
      place = Number(last['sequence'])
    }
    return found.slice(0, limit)
  }

  #wanted(row: SqlRow, after: number | undefined, scope: string | undefined): readonly QuotaEvent[] {
    const wanted = unpack(this.#ledger, row).filter(
      e => (after === undefined || e.sequence > after) && (scope === undefined || e.scope === scope),
    )
    return after === undefined ? wanted.toReversed() : wanted
  }
}

function unpack(ledger: string, row: SqlRow): readonly QuotaEvent[] {
  const { heads, lines } = JSON.parse(String(row['body'])) as Packed
  const first = Number(row['sequence']) - lines.length + 1
  return lines.flatMap((line, index) => {
    const head = heads[line[0]]
    return head ? [eventOf(ledger, first + index, head, line)] : []
  })
}

function eventOf(ledger: string, sequence: number, head: Head, line: Line): QuotaEvent {
  const [scope, provider, window, limit, resetsAt] = head
  const [, at, what, why, credits, slot, used, reserved] = line
  return {
    kind: 'quota-event',
    ledger,
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
