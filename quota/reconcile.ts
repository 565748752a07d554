import type { EpochMicros } from '../core/brands.ts'
import type { ScopeStatus } from '../core/ports/ledger.ts'
import { addMs, MINUTE } from '../core/time.ts'
import { defaultConstants } from './policy/constants.ts'

export interface ReconcileInput {
  readonly now: EpochMicros
  /** Whether the provider has a usage endpoint. */
  readonly hasUsage: boolean
  readonly status: ScopeStatus | undefined
  readonly everyMs?: number
}

const usualMs = 10 * MINUTE
/** So near to the limit the figures are compared as often as the provider's own can change. */
const lastShare = 0.02

/** Between two tries, whoever tries: a scheduler that asks each minute must not call each minute while none is answered. */
const retryMs = 5 * MINUTE
/** The same where nothing can be spent until the usage is read, or only by a configured floor. */
const urgentRetryMs = MINUTE

/**
 * Rules 5-7: at the start, every 10 minutes, before the last 2 %, to open a period that is over by our clock, and to end a freeze by
 * a clock jump. Returns the reason, or null.
 */
export function reconcileDue(input: ReconcileInput): string | null {
  const { now, status } = input
  if (!input.hasUsage || !status || (status.frozen !== null && !status.jump)) return null
  // The provider's word: nobody calls, whatever the reason.
  if (status.pausedUntil !== null && now < status.pausedUntil) return null
  const triedAt = status.usageTriedAt
  const urgent = urgentReason(status, now)
  if (urgent !== null) return isYounger(triedAt, now, urgentRetryMs) ? null : urgent
  const why = routineReason(input, status)
  return isUnanswered(status) && isYounger(triedAt, now, retryMs) ? null : why
}

/** Not so for a time to come, which a clock that was wrong has left. */
const isYounger = (at: EpochMicros | null, now: EpochMicros, ageMs: number): boolean =>
  at !== null && at <= now && now < addMs(at, ageMs)

const isUnanswered = ({ usageTriedAt, lastReconciledAt }: ScopeStatus): boolean =>
  usageTriedAt !== null && (lastReconciledAt === null || lastReconciledAt < usageTriedAt)

function urgentReason(status: ScopeStatus, now: EpochMicros): string | null {
  if (status.lastReconciledAt === null) return 'the usage was never read'
  if (status.jump) return 'the clock jumped'
  const isOver = status.windows.some(
    w =>
      w.window !== 'minute' && w.limit !== null && now >= addMs(w.resetsAt, defaultConstants.periodGraceMs),
  )
  return isOver ? 'a period is over by our clock, but not yet by the provider' : null
}

function routineReason({ now, everyMs = usualMs }: ReconcileInput, status: ScopeStatus): string | null {
  const ageMs = (now - (status.lastReconciledAt ?? 0)) / 1_000
  if (ageMs < 0 || ageMs >= everyMs) return 'the usage was read long ago'
  if (ageMs >= defaultConstants.usageLagMs && isNearLimit(status)) return 'the last 2 % of a limit'
  return null
}

const isNearLimit = (status: ScopeStatus): boolean =>
  status.windows.some(
    w => w.window !== 'minute' && w.limit !== null && w.left !== null && w.left <= w.limit * lastShare,
  )
