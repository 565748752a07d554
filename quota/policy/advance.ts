import type { EpochMicros } from '../../core/brands.ts'
import { addMs, MINUTE, toIso } from '../../core/time.ts'
import { addTo, keepAfter, restamped } from './buckets.ts'
import { lateMs, minuteWindowMs, type PolicyContext } from './constants.ts'
import { dayEvent, type EventDraft, monthEvent } from './events.ts'
import { movedPause, pauseAt } from './pause.ts'
import { charged, openNext, opensByClock } from './periods.ts'
import type { SlotChange } from './slots.ts'
import { type Spent, spentBy } from './spending.ts'
import {
  callWidthMs,
  limitsOf,
  paceWidthMs,
  type Reservation,
  recentWidthMs,
  type ScopeState,
} from './state.ts'

/** A state with what is to be told and done besides. */
export interface Step {
  readonly state: ScopeState
  readonly events: readonly EventDraft[]
  readonly slots: readonly SlotChange[]
  /** Charges of spenders that are named. */
  readonly spent?: readonly Spent[]
}

/** Time in the log never goes back. */
export const logTime = (state: ScopeState, now: EpochMicros): EpochMicros =>
  now > state.logAt ? now : state.logAt

/** What time alone does, before any operation: clock jumps (7), stale reservations (4), periods (6), old log entries, a pause that is over. */
export function advance(before: ScopeState, context: PolicyContext): Step {
  const watched = watchClock(context.isNewBase ? asOfNow(before, context) : before, context)
  const reaped = reap(watched.state, context)
  const rolled = openPeriods(reaped.state, context)
  return {
    state: { ...trimmed(rolled.state, context), stamp: context.stamp ?? before.stamp },
    events: [...watched.events, ...reaped.events, ...rolled.events],
    slots: reaped.slots,
    spent: reaped.spent ?? [],
  }
}

function watchClock(state: ScopeState, context: PolicyContext): Step {
  const { now, constants } = context
  const backMs = (state.logAt - now) / 1_000
  if (Math.abs(context.jumpMs) > constants.clockJumpMs || backMs > constants.clockJumpMs) {
    const byMs = Math.round(Math.abs(context.jumpMs) > Math.abs(backMs) ? context.jumpMs : -backMs)
    const why = `the clock jumped by ${byMs} ms; spending waits until the provider's usage is read`
    const pause = movedPause(state.pause, context)
    const jumped = { ...reanchored(state, context), pause, jump: { at: now, why } }
    return { state: jumped, events: [monthEvent(jumped, 'clock-jump', why)], slots: [] }
  }
  const moved = now > state.logAt ? { ...state, logAt: now } : state
  // Without a usage endpoint only the calls a minute are at risk (periods need the provider's Date): wait those out.
  if (!moved.jump || moved.hasUsage || now < addMs(moved.jump.at, minuteWindowMs(constants)))
    return { state: moved, events: [], slots: [] }
  const lifted = { ...moved, jump: null }
  return {
    state: lifted,
    events: [monthEvent(lifted, 'unfrozen', 'the minute after the jump is over')],
    slots: [],
  }
}

/** After a boot nothing tells how old the log is: its calls and charges count as if they had happened now. */
const asOfNow = (state: ScopeState, { now }: PolicyContext): ScopeState => ({
  ...state,
  calls: restamped(state.calls, callWidthMs, now),
  recent: restamped(state.recent, recentWidthMs, now),
})

/** The log on a new time base: everything in it counts as if it had happened now. */
export function reanchored(state: ScopeState, context: PolicyContext): ScopeState {
  const { now, constants } = context
  const latest = addMs(now, constants.startByMs + constants.totalDeadlineMs)
  return {
    ...asOfNow(state, context),
    logAt: now,
    pace: restamped(state.pace, paceWidthMs, now),
    open: state.open.map(r => (r.deadline > latest ? { ...r, reservedAt: now, deadline: latest } : r)),
  }
}

const isStale = (r: Reservation, now: EpochMicros, context: PolicyContext): boolean =>
  now > addMs(r.deadline, lateMs(context.constants))

/** Rule 4: a reservation older than deadline + D is charged, then removed. Its call may have been made. */
function reap(state: ScopeState, context: PolicyContext): Step {
  const now = logTime(state, context.now)
  const stale = state.open.filter(r => isStale(r, now, context))
  if (stale.length === 0) return { state, events: [], slots: [] }
  let next = state
  const events: EventDraft[] = []
  const slots: SlotChange[] = []
  const spent = stale.flatMap(r => spentBy(state, r, r.cost))
  for (const r of stale) {
    next = chargedFor(next, r, r.cost, context)
    const why = `no settlement until ${toIso(now)}; the call may have been made`
    events.push(monthEvent(next, 'reaped', why, { credits: r.cost, slot: r.slot }))
    if (r.slot)
      slots.push({ kind: 'release', slot: r.slot, reservationId: r.id, to: 'failed-charged', at: now })
  }
  return { state: next, events, slots, spent }
}

/** Closes a reservation with a charge. */
export function chargedFor(
  state: ScopeState,
  reservation: Reservation,
  credits: number,
  context: PolicyContext,
): ScopeState {
  const at = logTime(state, context.now)
  const skewMs = context.constants.skewMs
  return {
    ...state,
    open: state.open.filter(r => r.id !== reservation.id),
    month: charged(state.month, credits, reservation.deadline, skewMs),
    day: charged(state.day, credits, reservation.deadline, skewMs),
    recent: addTo(state.recent, recentWidthMs, at, credits),
    pace: addTo(state.pace, paceWidthMs, at, credits),
  }
}

function openPeriods(state: ScopeState, context: PolicyContext): Step {
  const now = logTime(state, context.now)
  const events: EventDraft[] = []
  let next = state
  if (opensByClock(next.day, now, context)) {
    next = { ...next, day: openNext('day', next.day, now) }
    if (limitsOf(next).creditsPerDay !== null)
      events.push(dayEvent(next, 'period-opened', 'the reset is over by a clock that agrees'))
  }
  if (opensByClock(next.month, now, context)) {
    next = { ...next, month: openNext('month', next.month, now) }
    events.push(monthEvent(next, 'period-opened', 'the reset is over by a clock that agrees'))
  }
  return { state: next, events, slots: [] }
}

function trimmed(state: ScopeState, { constants }: PolicyContext): ScopeState {
  const { logAt } = state
  const calls = keepAfter(state.calls, callWidthMs, logAt - minuteWindowMs(constants) * 1_000)
  const recent = keepAfter(
    state.recent,
    recentWidthMs,
    logAt - (constants.usageLagMs + constants.ttlMs) * 1_000,
  )
  const pace = keepAfter(state.pace, paceWidthMs, logAt - 60 * MINUTE * 1_000)
  const pause = pauseAt(state.pause, logAt) ?? null
  const isSame = calls === state.calls && recent === state.recent && pace === state.pace
  if (isSame && pause === state.pause) return state
  return { ...state, calls, recent, pace, pause }
}
