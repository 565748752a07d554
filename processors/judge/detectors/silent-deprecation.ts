import { toIso } from '../../../core/time.ts'
import type { Detector, GapDetector } from '../detector.ts'
import { wrongShape } from './changed-json.ts'

/**
 * silent-deprecation, by values: every series of the provider that answers is frozen, for an hour and more: the service was given up,
 * the machine still answers. A provider with one series can only be frozen.
 *
 * Why: CoinDesk's BPI in 2025: HTTP 200, a clock that goes on, one value for weeks.
 */
export const silentDeprecation: Detector = ({ at, series, board, parameters }) => {
  if (!series.isFrozen) return undefined
  const all = board
    .ofProvider(series.world, series.provider)
    .filter(s => s.isHeard(at, parameters.peerMaxAgeMs))
  const since = Math.max(...all.map(s => s.doubts.get('frozen-value')?.since ?? 0))
  if (all.length < 2 || !all.every(s => s.isFrozen) || (at - since) / 1_000 < parameters.frozen.deprecationMs)
    return undefined
  return `all ${all.length} prices of ${series.provider} are frozen, this one since ${toIso(series.rest.since)}, and its answers go on`
}

/** silent-deprecation, by gaps: the asset is gone from so many answers in a row that were good otherwise. */
export const goneFromAnswers: GapDetector = (gap, series, { gaps }) => {
  if (gap.state !== 'missing' || wrongShape(gap) || series.missing < gaps.missing) return undefined
  return `gone from ${series.missing} answers in a row, last value of ${toIso(series.latest.observedAt)}: ${gap.reason}`.slice(
    0,
    500,
  )
}
