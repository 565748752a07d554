import type { QuotaEvent } from '../core/records.ts'

export interface ReplayedScope {
  readonly used: number
  readonly reserved: number
}

const charging: ReadonlySet<string> = new Set(['settled', 'overcharged', 'settled-unknown', 'reaped'])

/**
 * Rebuilds each scope's month from the event log alone (property P10): charges add up, a reconcile moves the sum by its credits,
 * a new period starts at what it was opened with. Wants all events of the ledger, oldest first.
 */
export function replay(events: Iterable<QuotaEvent>): ReadonlyMap<string, ReplayedScope> {
  const scopes = new Map<string, ReplayedScope>()
  for (const event of events) {
    const before = scopes.get(event.scope) ?? { used: 0, reserved: 0 }
    scopes.set(event.scope, after(before, event))
  }
  return scopes
}

function after(before: ReplayedScope, event: QuotaEvent): ReplayedScope {
  if (event.window !== 'month') return before
  if (event.what === 'reserved') return { ...before, reserved: before.reserved + event.credits }
  if (charging.has(event.what)) return { used: before.used + event.credits, reserved: event.reserved }
  if (event.what === 'reconciled' || event.what === 'foreign-use')
    return { ...before, used: before.used + event.credits }
  if (event.what === 'period-opened') return { used: event.used, reserved: event.reserved }
  return before
}
