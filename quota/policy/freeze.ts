import type { ScopeSpec } from '../../core/ports/ledger.ts'
import { reanchored, type Step } from './advance.ts'
import type { PolicyContext } from './constants.ts'
import { monthEvent } from './events.ts'
import { describeLimits } from './reconcile.ts'
import { nothingLearned, type ScopeState } from './state.ts'

/** Rule 11. */
export function freeze(state: ScopeState, reason: string): Step {
  if (state.frozen === reason) return { state, events: [], slots: [] }
  const next = { ...state, frozen: reason }
  return { state: next, events: [monthEvent(next, 'frozen', reason)], slots: [] }
}

/** An operator's word: it ends a freeze, a pause and the wait after a clock jump, and forgets what calls were learned to cost. */
export function unfreeze(state: ScopeState, context: PolicyContext): Step {
  const hasLearned = state.costFactor !== 1 || state.freeCost !== 0
  if (state.frozen === null && !state.jump && !state.pause && !hasLearned)
    return { state, events: [], slots: [] }
  const base = state.jump ? reanchored(state, context) : state
  const next = { ...base, ...nothingLearned, frozen: null, jump: null, pause: null, denied: null }
  return { state: next, events: [monthEvent(next, 'unfrozen', 'by an operator')], slots: [] }
}

/** Opening a scope again: the configured floor may have changed. */
export function respecified(state: ScopeState, spec: ScopeSpec): Step {
  const next = {
    ...state,
    provider: spec.provider,
    hasUsage: spec.hasUsage,
    owned: spec.owned,
    floor: spec.limits,
  }
  if (JSON.stringify(next) === JSON.stringify(state)) return { state, events: [], slots: [] }
  const event = monthEvent(next, 'limits-changed', `configured: ${describeLimits(spec.limits)}`)
  return { state: next, events: [event], slots: [] }
}
