import type { EpochMicros } from '../../core/brands.ts'
import type { Charge } from '../../core/ports/ledger.ts'
import { chargedFor, logTime, type Step } from './advance.ts'
import type { PolicyContext } from './constants.ts'
import { longerPause, pauseText } from './pause.ts'
import { type EventDraft, monthEvent } from './events.ts'
import type { SlotChange } from './slots.ts'
import { spentBy } from './spending.ts'
import { nothingLearned, type Reservation, type ScopeState } from './state.ts'

export interface SettleInput {
  readonly reservationId: string
  readonly charge: Charge
  readonly why: string
  readonly answer: { readonly slot: string; readonly answerId: string } | null
  /** Nobody may call before, as `why` says. */
  readonly pauseUntil?: EpochMicros | undefined
}

/**
 * Rule 3, on a state that `advance` has brought up to date. A reservation that is not open any more was settled or reaped before:
 * nothing is charged again, but an answer that was paid for is kept all the same.
 */
export function settle(before: ScopeState, input: SettleInput, context: PolicyContext): Step {
  const { state, events: paused } = withPause(before, input, context)
  const open = state.open.find(r => r.id === input.reservationId)
  const at = logTime(state, context.now)
  const answered: SlotChange[] = input.answer ? [{ kind: 'answer', ...input.answer, at }] : []
  if (!open) return { state, events: paused, slots: answered }
  const credits = input.charge.kind === 'known' ? input.charge.credits : open.cost
  const charged = chargedFor(state, open, credits, context)
  const next = input.charge.kind === 'known' ? learned(charged, open, credits) : charged
  const events = [eventOf(next, open, input, credits), ...paused]
  if (next.frozen !== null && next.frozen !== state.frozen)
    events.push(monthEvent(next, 'frozen', next.frozen))
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
  return { state: next, events, slots: [...answered, ...released], spent: spentBy(state, open, credits) }
}

/** A late word counts too: the pause is the scope's, not the reservation's. */
function withPause(
  state: ScopeState,
  { pauseUntil: until, why }: SettleInput,
  context: PolicyContext,
): { readonly state: ScopeState; readonly events: readonly EventDraft[] } {
  const pause = longerPause(state.pause, { until, why }, logTime(state, context.now))
  if (pause === null || pause === state.pause) return { state, events: [] }
  const next = { ...state, pause }
  return { state: next, events: [monthEvent(next, 'paused', pauseText(pause))] }
}

/** Beyond this many times the documented cost a charge is no price to get used to, but a mistake for a person to look at. */
const maxFactor = 10
/** The same for a call that is documented as free, in credits. */
const maxFreeCost = 10
/** After so many calls in a row at the documented cost what was learned is forgotten. */
const forgetAfter = 20

/** An overcharge is paid once, then expected: later calls reserve what this one cost. An absurd one freezes instead. */
function learned(state: ScopeState, open: Reservation, credits: number): ScopeState {
  if (credits <= open.cost) return unlearned(state, open, credits)
  const costFactor = open.cost === 0 ? state.costFactor : (state.costFactor * credits) / open.cost
  const freeCost = open.cost === 0 ? Math.max(state.freeCost, credits) : state.freeCost
  if (costFactor > maxFactor || freeCost > maxFreeCost) {
    const frozen = `a call was charged ${credits} credits, ${open.cost} expected: look at the provider's bill first`
    return { ...state, frozen: state.frozen ?? frozen }
  }
  return { ...state, costFactor, freeCost, asDocumented: 0 }
}

function unlearned(state: ScopeState, open: Reservation, credits: number): ScopeState {
  if ((state.costFactor === 1 && state.freeCost === 0) || open.cost === 0) return state
  // A reservation is the documented cost times the factor, rounded up. The slack is for the rounding of floats.
  const documented = Math.floor(open.cost / state.costFactor + 1e-9)
  if (credits > documented) return { ...state, asDocumented: 0 }
  const asDocumented = state.asDocumented + 1
  return asDocumented < forgetAfter ? { ...state, asDocumented } : { ...state, ...nothingLearned }
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
