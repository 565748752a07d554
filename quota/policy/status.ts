import type { EpochMicros } from '../../core/brands.ts'
import type { ScopeStatus, WindowStatus } from '../../core/ports/ledger.ts'
import { addMs, fromEpochMs, HOUR, MINUTE } from '../../core/time.ts'
import { logTime } from './advance.ts'
import { endOf, totalOf } from './buckets.ts'
import { minuteWindowMs, type PolicyContext } from './constants.ts'
import { pauseAt, pauseText } from './pause.ts'
import type { Period } from './periods.ts'
import { callWidthMs, limitsOf, paceWidthMs, reservedOf, type ScopeState } from './state.ts'

/** The scope as people see it, of a state that `advance` has brought up to date. */
export function statusOf(state: ScopeState, context: PolicyContext): ScopeStatus {
  const limits = limitsOf(state)
  const month = periodStatus(state, 'month', limits.creditsPerMonth, context)
  const day = periodStatus(state, 'day', limits.creditsPerDay, context)
  const pause = pauseAt(state.pause, logTime(state, context.now))
  return {
    scope: state.scope,
    provider: state.provider,
    plan: limits.plan,
    frozen: state.frozen ?? state.jump?.why ?? null,
    jump: state.frozen === null && state.jump !== null,
    pausedUntil: pause?.until ?? null,
    pausedWhy: pause ? pauseText(pause) : null,
    windows: [minuteStatus(state, context), day, month],
    runsOutAt: earliest(runsOutAt(state, month, context), runsOutAt(state, day, context)),
    lastReconciledAt: state.reconciledAt,
    usageTriedAt: state.usageTriedAt,
    drift: state.drift,
  }
}

function periodStatus(
  state: ScopeState,
  window: 'month' | 'day',
  limit: number | null,
  { constants }: PolicyContext,
): WindowStatus {
  const period: Period = state[window]
  const reserved = reservedOf(state)
  const guard = limit === null || state.owned ? 0 : Math.ceil(limit * constants.guardShare)
  const left = limit === null ? null : Math.max(0, limit - guard - period.settled - reserved)
  return { window, limit, used: period.settled, reserved, left, resetsAt: period.resetsAt }
}

/** The sliding minute: used = permits of the last 60 s + D; it "resets" when the oldest of them leaves. */
function minuteStatus(state: ScopeState, { constants, now }: PolicyContext): WindowStatus {
  const limit = limitsOf(state).callsPerMinute
  const used = totalOf(state.calls)
  const oldest = state.calls[0]
  const resetsAt = oldest
    ? fromEpochMs(endOf(oldest[0], callWidthMs) / 1_000 + minuteWindowMs(constants))
    : logTime(state, now)
  return { window: 'minute', limit, used, reserved: 0, left: Math.max(0, limit - used), resetsAt }
}

/** When the credits end at the pace of the last hour; null = not before the reset. */
function runsOutAt(state: ScopeState, window: WindowStatus, context: PolicyContext): EpochMicros | null {
  const spent = totalOf(state.pace)
  const oldest = state.pace[0]
  if (window.left === null || !oldest || spent === 0) return null
  const now = logTime(state, context.now)
  const sinceMs = Math.max(MINUTE, Math.min(HOUR, now / 1_000 - oldest[0] * paceWidthMs))
  const endsAt = addMs(now, (window.left / spent) * sinceMs)
  return endsAt < window.resetsAt ? endsAt : null
}

const earliest = (a: EpochMicros | null, b: EpochMicros | null): EpochMicros | null =>
  a === null ? b : b === null || a < b ? a : b
