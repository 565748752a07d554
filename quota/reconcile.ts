import type { EpochMicros } from '../core/brands.ts'
import type { ScopeStatus } from '../core/ports/ledger.ts'
import { MINUTE } from '../core/time.ts'
import { defaultConstants } from './policy/constants.ts'

export interface ReconcileInput {
  readonly now: EpochMicros
  /** Whether the provider has a usage endpoint. */
  readonly hasUsage: boolean
  readonly status: ScopeStatus | undefined
  /** When a usage call was last tried, whether or not it was answered; null = not in this process. */
  readonly lastTriedAt: EpochMicros | null
  readonly everyMs?: number
}

const everyMs = 10 * MINUTE
/** So near to the limit the figures are compared as often as the provider's own can change. */
const lastShare = 0.02

/** Rule 5: at the start, every 10 minutes, before the last 2 %, and to end a freeze by a clock jump. Returns the reason, or null. */
export function reconcileDue(input: ReconcileInput): string | null {
  const { now, status, lastTriedAt } = input
  if (!input.hasUsage || !status) return null
  if (lastTriedAt !== null && now - lastTriedAt < MINUTE * 1_000 && now >= lastTriedAt) return null
  const last = status.lastReconciledAt
  if (last === null) return 'the usage was never read'
  if (status.frozen?.startsWith('the clock jumped')) return 'the clock jumped'
  const ageMs = (now - last) / 1_000
  if (ageMs < 0 || ageMs >= (input.everyMs ?? everyMs)) return 'the usage was read long ago'
  if (ageMs >= defaultConstants.usageLagMs && isNearLimit(status)) return 'the last 2 % of a limit'
  return null
}

const isNearLimit = (status: ScopeStatus): boolean =>
  status.windows.some(
    w => w.window !== 'minute' && w.limit !== null && w.left !== null && w.left <= w.limit * lastShare,
  )
