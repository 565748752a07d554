import type { Charge } from '../../core/ports/ledger.ts'
import { chargedFor, logTime, type Step } from './advance.ts'
import type { PolicyContext } from './constants.ts'
import { type EventDraft, monthEvent } from './events.ts'
import type { SlotChange } from './slots.ts'
import type { Reservation, ScopeState } from './state.ts'

export interface SettleInput {
  readonly reservationId: string
  readonly charge: Charge
  readonly why: string
  readonly answer: { readonly slot: string; readonly answerId: string } | null
}

/**
 * Rule 3, on a state that `advance` has brought up to date. A reservation that is not open any more was settled or reaped before:
 * nothing is charged again, but an answer that was paid for is kept all the same.
 */
export function settle(state: ScopeState, input: SettleInput, context: PolicyContext): Step {
  const open = state.open.find(r => r.id === input.reservationId)
  const at = logTime(state, context.now)
  const answered: SlotChange[] = input.answer ? [{ kind: 'answer', ...input.answer, at }] : []
  if (!open) return { state, events: [], slots: answered }
  const credits = input.charge.kind === 'known' ? input.charge.credits : open.cost
  const next = learned(chargedFor(state, open, credits, context), open, credits)
  const released: SlotChange[] =
    open.slot === null || input.answer
      ? []
      : [
          {
            kind: 'release',
            slot: open.slot,
            reservationId: open.id,
            to: credits === 0 ? 'failed-free' : 'failed-charged',
            at,
          },
        ]
  return { state: next, events: [eventOf(next, open, input, credits)], slots: [...answered, ...released] }
}

/** An overcharge is paid once, then expected: later calls reserve what this one cost. */
function learned(state: ScopeState, open: Reservation, credits: number): ScopeState {
  if (credits <= open.cost) return state
  if (open.cost === 0) return { ...state, freeCost: Math.max(state.freeCost, credits) }
  return { ...state, costFactor: (state.costFactor * credits) / open.cost }
}

function eventOf(state: ScopeState, open: Reservation, input: SettleInput, credits: number): EventDraft {
  const options = { credits, slot: open.slot }
  if (input.charge.kind === 'unknown') return monthEvent(state, 'settled-unknown', input.why, options)
  if (credits <= open.cost) return monthEvent(state, 'settled', input.why, options)
  return monthEvent(
    state,
    'overcharged',
    `the provider charged ${credits}, ${open.cost} expected: ${input.why}`,
    options,
  )
}
