import type { QuotaEvent } from '../../core/records.ts'
import { limitsOf, reservedOf, type ScopeState } from './state.ts'

/** An event as the policy makes it; the store adds ledger, sequence, scope, provider and time. */
export type EventDraft = Omit<QuotaEvent, 'kind' | 'ledger' | 'sequence' | 'scope' | 'provider' | 'at'>

interface EventOptions {
  readonly credits?: number
  readonly slot?: string | null
}

/** An event with the month's numbers as they are in `state`, that is, after it happened. */
export function monthEvent(
  state: ScopeState,
  what: QuotaEvent['what'],
  why: string,
  options: EventOptions = {},
): EventDraft {
  return {
    what,
    why,
    credits: options.credits ?? 0,
    ...(options.slot ? { slot: options.slot } : {}),
    window: 'month',
    limit: limitsOf(state).creditsPerMonth,
    used: state.month.settled,
    reserved: reservedOf(state),
    resetsAt: state.month.resetsAt,
  }
}

/** The same with the day's numbers. */
export const dayEvent = (state: ScopeState, what: QuotaEvent['what'], why: string): EventDraft => ({
  ...monthEvent(state, what, why),
  window: 'day',
  limit: limitsOf(state).creditsPerDay,
  used: state.day.settled,
  resetsAt: state.day.resetsAt,
})
