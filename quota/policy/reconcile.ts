import type { PlanLimits, ProviderUsage } from '../../core/ports/ledger.ts'
import { addMs, toIso } from '../../core/time.ts'
import { logTime, reanchored, type Step } from './advance.ts'
import { totalOf } from './buckets.ts'
import type { PolicyContext } from './constants.ts'
import { type EventDraft, monthEvent } from './events.ts'
import { type Period, openNext } from './periods.ts'
import { limitsOf, reservedOf, type ScopeState } from './state.ts'

/**
 * Rule 5, on a state that `advance` has brought up to date: settled := max(P, min(settled, P + recent)). Both `settled` and
 * `P + recent` are upper bounds of what was used, so their minimum is one; `P` is a lower bound.
 */
export function reconcile(before: ScopeState, usage: ProviderUsage, context: PolicyContext): Step {
  const events: EventDraft[] = []
  let state = withLimits(before, usage.limits, events)
  state = withReset(state, usage, context, events)
  const settledBefore = state.month.settled
  state = {
    ...state,
    month: bounded(state.month, usage.monthUsed, state, usage, context),
    day: usage.dayUsed === null ? state.day : bounded(state.day, usage.dayUsed, state, usage, context),
    drift: usage.monthUsed - settledBefore,
    reconciledAt: logTime(state, context.now),
    denied: null,
  }
  const options = { credits: state.month.settled - settledBefore }
  events.push(
    usage.monthUsed > settledBefore + reservedOf(state)
      ? monthEvent(state, 'foreign-use', foreignWhy(usage.monthUsed, settledBefore), options)
      : monthEvent(
          state,
          'reconciled',
          `the provider says ${usage.monthUsed}, we had ${settledBefore}`,
          options,
        ),
  )
  return lifted(state, events, context)
}

const foreignWhy = (used: number, ours: number): string =>
  `the provider says ${used}, we had ${ours}: another program uses the key, or the price changed`

function bounded(
  period: Period,
  used: number,
  state: ScopeState,
  usage: ProviderUsage,
  { constants, now }: PolicyContext,
): Period {
  // A figure that waited longer than the TTL may be behind charges that the log has forgotten: it may only raise ours.
  const isFresh = usage.at >= now - constants.ttlMs * 1_000
  const upper = isFresh ? Math.min(period.settled, used + totalOf(state.recent)) : period.settled
  return { ...period, settled: Math.max(used, upper) }
}

const sameLimits = (a: PlanLimits, b: PlanLimits): boolean =>
  a.plan === b.plan &&
  a.creditsPerMonth === b.creditsPerMonth &&
  a.creditsPerDay === b.creditsPerDay &&
  a.callsPerMinute === b.callsPerMinute

/** The provider's own limits count from now on. */
function withLimits(state: ScopeState, limits: PlanLimits, events: EventDraft[]): ScopeState {
  const next = { ...state, learned: limits }
  if (!sameLimits(limitsOf(state), limits))
    events.push(monthEvent(next, 'limits-changed', `the provider says: ${describeLimits(limits)}`))
  return next
}

export const describeLimits = (l: PlanLimits): string =>
  `plan ${l.plan}, ${l.creditsPerMonth ?? 'no limit of'} credits a month, ${l.creditsPerDay ?? 'no limit of'} a day, ${l.callsPerMinute} calls a minute`

/** The provider shows the reset: a later one after ours was due opens the month (rule 6); before that it corrects ours. */
function withReset(
  state: ScopeState,
  usage: ProviderUsage,
  { constants }: PolicyContext,
  events: EventDraft[],
): ScopeState {
  const resetsAt = usage.monthResetsAt
  if (resetsAt === null || resetsAt === state.month.resetsAt || resetsAt <= usage.at) return state
  // Its clock may be ahead of ours: what it shows so near to the reset is the reset, not another date of it.
  const isBefore = usage.at < addMs(state.month.resetsAt, -constants.skewMs)
  if (resetsAt < state.month.resetsAt || isBefore) return { ...state, month: { ...state.month, resetsAt } }
  const month = { ...openNext('month', state.month, usage.at), resetsAt }
  const next = { ...state, month }
  events.push(monthEvent(next, 'period-opened', `the provider shows the next reset at ${toIso(resetsAt)}`))
  return next
}

/** Rule 7: an answer of the usage endpoint ends the freeze by a clock jump. */
function lifted(state: ScopeState, events: EventDraft[], context: PolicyContext): Step {
  if (!state.jump) return { state, events, slots: [] }
  const next = { ...reanchored(state, context), jump: null }
  return { state: next, events: [...events, monthEvent(next, 'unfrozen', 'the usage was read')], slots: [] }
}
