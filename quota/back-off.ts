import { MINUTE } from '../core/time.ts'

export interface Outage {
  /** From the first try that failed to the newest; 0 = one has failed. */
  readonly ageMs: number
  /** Time between two sweeps when all is well, by the settings and by what is left of the quota. */
  readonly intervalMs: number
  /** [0, 1). */
  readonly jitter: number
}

const mostMs = 15 * MINUTE
const share = 1 / 2
const jitterShare = 1 / 4

/**
 * Wait after a sweep without an answer: half of the time without one, less up to a quarter of that by chance. Never less than when
 * all is well, since a failure may be charged, and at most 15 minutes (or the interval). So the n-th wait is about half as long again
 * as the one before, and the end of an outage is seen within half of its length.
 */
export function backOffMs({ ageMs, intervalMs, jitter }: Outage): number {
  const grown = Math.min((ageMs + intervalMs) * share, mostMs) * (1 - jitter * jitterShare)
  return Math.max(intervalMs, grown)
}
