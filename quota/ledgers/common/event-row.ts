import { EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { QuotaEvent, QuotaEventKind } from '../../../core/records.ts'
import type { EventDraft } from '../../policy/events.ts'

export interface Owner {
  readonly scope: string
  readonly provider: ProviderId
}

/** What the events of one commit mostly share. */
type Head = readonly [
  scope: string,
  provider: string,
  window: QuotaEvent['window'],
  limit: number | null,
  resetsAt: number | null,
]

/** A slot, or how many characters of the row's last slot it begins with, and the rest. */
type PackedSlot = string | readonly [shared: number, rest: string] | null

/** One event as it lies in the file: `head` is an index into the row's heads; `at` null = as in the line before. */
type Line = readonly [
  head: number,
  at: number | null,
  what: QuotaEventKind,
  why: string,
  credits: number,
  slot: PackedSlot,
  used: number,
  reserved: number,
]

interface Packed {
  readonly heads: readonly Head[]
  readonly lines: readonly Line[]
}

/**
 * The events of one commit as one short text: what they share (scope, time, the beginning of their slots) is written once. Fewer
 * bytes a commit are fewer new pages of the file that each commit must wait for.
 */
export class EventRow {
  readonly #heads: Head[] = []
  readonly #lines: Line[] = []
  #lastAt: number | undefined
  #lastSlot = ''

  get size(): number {
    return this.#lines.length
  }

  add(draft: EventDraft, owner: Owner, at: EpochMicros): void {
    const { what, why, credits, slot = null, used, reserved } = draft
    const head = this.#headOf(draft, owner)
    const time = at === this.#lastAt ? null : at
    this.#lastAt = at
    this.#lines.push([head, time, what, why, credits, this.#packed(slot), used, reserved])
  }

  encode(): string {
    const packed: Packed = { heads: this.#heads, lines: this.#lines }
    return JSON.stringify(packed)
  }

  #headOf({ window, limit, resetsAt }: EventDraft, { scope, provider }: Owner): number {
    const last = this.#heads.at(-1)
    const isSame = last?.[0] === scope && last[2] === window && last[3] === limit && last[4] === resetsAt
    return isSame ? this.#heads.length - 1 : this.#heads.push([scope, provider, window, limit, resetsAt]) - 1
  }

  #packed(slot: string | null): PackedSlot {
    if (slot === null) return null
    const shared = sharedLength(this.#lastSlot, slot)
    this.#lastSlot = slot
    return shared === 0 ? slot : [shared, slot.slice(shared)]
  }
}

function sharedLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1
  return length
}

/** A row of the table of events. */
export interface EventColumns {
  readonly sequence?: unknown
  readonly body?: unknown
}

/** What is asked of the log: newest first unless `after` (a sequence) is given, then oldest first from there on. */
export interface EventsWanted {
  readonly limit: number
  readonly after?: number
  readonly scope?: string
}

/** Those of a row that are wanted, in the order that is wanted. */
export function wantedOf(
  ledger: string,
  row: EventColumns,
  { after, scope }: EventsWanted,
): readonly QuotaEvent[] {
  const wanted = eventsOf(ledger, row).filter(
    e => (after === undefined || e.sequence > after) && (scope === undefined || e.scope === scope),
  )
  return after === undefined ? wanted.toReversed() : wanted
}

/** The events of a row, oldest first; the row's sequence is that of its newest. */
export function eventsOf(ledger: string, row: EventColumns): readonly QuotaEvent[] {
  const { heads, lines } = JSON.parse(String(row.body)) as Packed
  const events: QuotaEvent[] = []
  let sequence = Number(row.sequence) - lines.length
  let at = 0
  let lastSlot = ''
  for (const line of lines) {
    sequence += 1
    at = line[1] ?? at
    const slot = unpacked(line[5], lastSlot)
    lastSlot = slot ?? lastSlot
    const head = heads[line[0]]
    if (head) events.push(eventOf({ ledger, sequence, at: EpochMicros(at), slot }, head, line))
  }
  return events
}

function unpacked(slot: PackedSlot, last: string): string | null {
  if (slot === null || typeof slot === 'string') return slot
  return last.slice(0, slot[0]) + slot[1]
}

interface Place {
  readonly ledger: string
  readonly sequence: number
  readonly at: EpochMicros
  readonly slot: string | null
}

function eventOf({ ledger, sequence, at, slot }: Place, head: Head, line: Line): QuotaEvent {
  const [scope, provider, window, limit, resetsAt] = head
  const [, , what, why, credits, , used, reserved] = line
  return {
    kind: 'quota-event',
    ledger,
    sequence,
    scope,
    provider: ProviderId(provider),
    at,
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
