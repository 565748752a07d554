import type { EpochMicros } from '../../core/brands.ts'
import type { DenialReason, ReserveDecision } from '../../core/ports/ledger.ts'
import { addMs, fromEpochMs } from '../../core/time.ts'
import { logTime, type Step } from './advance.ts'
import { addTo, endOf, totalOf } from './buckets.ts'
import { lateMs, minuteWindowMs, type PolicyContext } from './constants.ts'
import { monthEvent } from './events.ts'
import { pauseAt, pauseText } from './pause.ts'
import { reservedSlot, type SlotRow } from './slots.ts'
import { callWidthMs, limitsOf, type Reservation, reservedOf, type ScopeState } from './state.ts'

export interface ReserveInput {
  readonly reservationId: string
  readonly costMax: number
  readonly slot: string | null
  /** The slot as it is now; undefined = free. */
  readonly slotRow: SlotRow | undefined
  readonly outboxFull: boolean
  /** Who is charged, by name. */
  readonly spender?: string
}

export interface ReserveStep extends Step {
  readonly decision: ReserveDecision
}

interface Denial {
  readonly why: DenialReason
  readonly reason: string
  readonly retryAt: EpochMicros | null
}

/** Rule 1, on a state that `advance` has brought up to date. */
export function reserve(state: ScopeState, input: ReserveInput, context: PolicyContext): ReserveStep {
  const known = sameRequest(state, input) ?? slotSaysNo(state, input, context)
  if (known) return { state, decision: known, events: [], slots: [] }
  const cost = learnedCost(state, input.costMax)
  const denial = denialOf(state, { ...input, costMax: cost }, context)
  return denial ? denied(state, input, denial) : granted(state, { ...input, costMax: cost }, context)
}

/** The documented cost, raised by what this key was really charged (P11). */
const learnedCost = (state: ScopeState, costMax: number): number =>
  costMax === 0 ? state.freeCost : Math.ceil(costMax * state.costFactor)

/** The same id again: as the first time. Once it is settled or reaped, its permit has run out. */
function sameRequest(state: ScopeState, input: ReserveInput): ReserveDecision | undefined {
  const open = state.open.find(r => r.id === input.reservationId)
  if (open) return grantOf(open)
  const row = input.slotRow
  if (row?.reservationId !== input.reservationId || row.answerId !== null) return undefined
  const { attempts: attempt, reservedAt: startBy, deadline } = row
  return { kind: 'granted', reservationId: input.reservationId, attempt, startBy, deadline }
}

const grantOf = (r: Reservation): ReserveDecision => ({
  kind: 'granted',
  reservationId: r.id,
  attempt: r.attempt,
  startBy: r.startBy,
  deadline: r.deadline,
})

/** Rule 8. A row in flight belongs to this scope's reservations, or to another scope's until its deadline + D. */
function slotSaysNo(
  state: ScopeState,
  { slotRow: row }: ReserveInput,
  context: PolicyContext,
): ReserveDecision | undefined {
  if (!row) return undefined
  if (row.state === 'published') return { kind: 'published' }
  if (row.state === 'answered') return { kind: 'answered', answerId: row.answerId ?? '' }
  if (row.state === 'reserved' && isInFlight(state, row, context))
    return { kind: 'in-flight', retryAt: addMs(row.deadline, lateMs(context.constants)) }
  return row.attempts >= context.constants.maxAttempts
    ? { kind: 'exhausted', attempts: row.attempts }
    : undefined
}

function isInFlight(state: ScopeState, row: SlotRow, { now, constants }: PolicyContext): boolean {
  if (row.scope === state.scope) return state.open.some(r => r.id === row.reservationId)
  const overAt = addMs(row.deadline, lateMs(constants))
  const plausibleUntil = addMs(now, 2 * lateMs(constants) + constants.startByMs)
  return now <= overAt && overAt <= plausibleUntil
}

function denialOf(state: ScopeState, input: ReserveInput, context: PolicyContext): Denial | undefined {
  if (state.frozen !== null) return { why: 'frozen', reason: state.frozen, retryAt: null }
  const pause = pauseAt(state.pause, logTime(state, context.now))
  // Calls of the usage endpoint too: the provider refuses whoever comes, and may punish it.
  if (pause) return { why: 'paused', reason: pauseText(pause), retryAt: pause.until }
  if (state.jump && !readsUsage(state, input)) return jumpDenial(state, context)
  if (input.outboxFull && input.slot !== null)
    return {
      why: 'outbox-full',
      reason: 'the answers that wait for the topics fill the outbox',
      retryAt: null,
    }
  const limits = limitsOf(state)
  return (
    creditDenial(state, 'month', limits.creditsPerMonth, input.costMax, context) ??
    creditDenial(state, 'day', limits.creditsPerDay, input.costMax, context) ??
    minuteDenial(state, limits.callsPerMinute, context)
  )
}

/** The call of the usage endpoint: it belongs to no slot and is documented as free. */
const readsUsage = (state: ScopeState, input: ReserveInput): boolean =>
  state.hasUsage && input.slot === null && input.costMax === state.freeCost

function jumpDenial(state: ScopeState, { constants }: PolicyContext): Denial {
  const lifts = state.hasUsage || !state.jump ? null : addMs(state.jump.at, minuteWindowMs(constants))
  return { why: 'clock-jump', reason: state.jump?.why ?? 'the clock jumped', retryAt: lifts }
}

/** settled + reserved + cost <= limit - guard. */
function creditDenial(
  state: ScopeState,
  kind: 'month' | 'day',
  limit: number | null,
  cost: number,
  context: PolicyContext,
): Denial | undefined {
  if (limit === null || cost === 0) return undefined
  const period = state[kind]
  const guard = state.owned ? 0 : Math.ceil(limit * context.constants.guardShare)
  const wanted = period.settled + reservedOf(state) + cost
  if (wanted <= limit - guard) return undefined
  return overLimit(state, kind, `${wanted} of ${limit - guard} credits a ${kind}`, context)
}

function overLimit(state: ScopeState, kind: 'month' | 'day', what: string, context: PolicyContext): Denial {
  const now = logTime(state, context.now)
  const { periodGraceMs } = context.constants
  const opensAt = addMs(state[kind].resetsAt, periodGraceMs)
  if (now < opensAt) return { why: `${kind}-limit`, reason: `the call would make ${what}`, retryAt: opensAt }
  const reason = `the ${kind} is over by our clock, which no answer of the provider has confirmed yet (${what})`
  return { why: 'period-not-open', reason, retryAt: addMs(now, periodGraceMs) }
}

/** Fewer than L entries in the sliding (now - 60 s - D, now]; `advance` has cut the log to it. */
function minuteDenial(state: ScopeState, limit: number, { constants }: PolicyContext): Denial | undefined {
  const used = totalOf(state.calls)
  if (used < limit) return undefined
  const oldest = state.calls[0]?.[0] ?? 0
  const retryAt = fromEpochMs(endOf(oldest, callWidthMs) / 1_000 + minuteWindowMs(constants))
  return { why: 'minute-limit', reason: `${used} of ${limit} calls a minute are used`, retryAt }
}

function denied(state: ScopeState, input: ReserveInput, denial: Denial): ReserveStep {
  const decision: ReserveDecision = { kind: 'denied', ...denial }
  if (state.denied === denial.why) return { state, decision, events: [], slots: [] }
  const next = { ...state, denied: denial.why }
  const event = monthEvent(next, 'denied', denial.reason, { slot: input.slot })
  return { state: next, decision, events: [event], slots: [] }
}

function granted(state: ScopeState, input: ReserveInput, context: PolicyContext): ReserveStep {
  const { constants } = context
  const at = logTime(state, context.now)
  const startBy = addMs(at, constants.startByMs)
  const reservation: Reservation = {
    id: input.reservationId,
    cost: input.costMax,
    slot: input.slot,
    attempt: (input.slotRow?.attempts ?? 0) + 1,
    reservedAt: at,
    startBy,
    deadline: addMs(startBy, constants.totalDeadlineMs),
    ...(input.spender === undefined ? {} : { spender: input.spender }),
  }
  const next: ScopeState = {
    ...state,
    open: [...state.open, reservation],
    calls: addTo(state.calls, callWidthMs, at, 1),
    denied: null,
    usageTriedAt: readsUsage(state, input) ? at : state.usageTriedAt,
  }
  const event = monthEvent(next, 'reserved', reservation.id, { credits: reservation.cost, slot: input.slot })
  const slots =
    input.slot === null
      ? []
      : [{ kind: 'reserve' as const, row: reservedSlot(state.scope, input.slot, reservation) }]
  return { state: next, decision: grantOf(reservation), events: [event], slots }
}
