import type { EpochMicros } from '../../core/brands.ts'
import type { LastSlots } from '../../core/ports/ledger.ts'

/** How often a dataset is asked as things stand. */
export interface PaceNow {
  /** Time between two sweeps that the planner would keep now; the wanted one where nothing is asked. */
  readonly intervalMs: number
  /** Why nothing is asked now (credits used up, frozen, paused); null = it may be. */
  readonly held: string | null
}

/** How old an answer may be. */
export interface Tolerance {
  readonly intervals: number
  readonly atLeastMs: number
}

export interface Age {
  /** Start of the newest answered period; null = never answered. */
  readonly answeredAt: EpochMicros | null
  /** Since that, or since the first try where there never was an answer; null = there never was a try. */
  readonly ageMs: number | null
  readonly staleAfterMs: number
  readonly isStale: boolean
}

/** Pure. What was never tried is stale: nothing tells it from what should have run long ago. */
export function ageOf(
  last: Pick<LastSlots, 'answered' | 'failingSince'>,
  { intervalMs }: Pick<PaceNow, 'intervalMs'>,
  { intervals, atLeastMs }: Tolerance,
  now: EpochMicros,
): Age {
  const since = last.answered ?? last.failingSince
  const ageMs = since === null ? null : Math.max(0, (now - since) / 1_000)
  const staleAfterMs = Math.max(atLeastMs, Math.round(intervals * intervalMs))
  return {
    answeredAt: last.answered,
    ageMs,
    staleAfterMs,
    isStale: ageMs === null || ageMs > staleAfterMs,
  }
}
