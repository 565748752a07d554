import { toIso } from '../../../core/time.ts'
import type { Detector, Sample } from '../detector.ts'
import { lnOfPercent, percentText, spanText } from '../figures.ts'
import type { FrozenParameters } from '../parameters.ts'
import type { Series } from '../series.ts'

/**
 * frozen-value: the same digits although answers go on and the others have moved, four times longer than this series ever took to
 * follow them; or, where there are no others, a day and twelve times its longest rest.
 *
 * Why: CoinDesk's BPI gave 97,376.5 for weeks before its name was taken from the DNS (2025-02), with a clock that went on. A thin
 * asset rests honestly for hours: so the measure is the series' own past, and a series that is not known yet gets six hours.
 */
export const frozenValue: Detector = sample => withOthers(sample) ?? alone(sample)

/** How far the others go before they have moved, in logarithms. */
export function moveLimitOf(series: Series, p: FrozenParameters): number {
  const usual = Number.isNaN(series.usualDistance) ? 0 : series.usualDistance
  return Math.max(lnOfPercent(p.movePercent), p.moveDeviations * usual)
}

/** How long the digits may stay after that. */
export function restLimitMs(series: Series, at: number, p: FrozenParameters): number {
  const known = (at - series.firstAt) / 1_000 >= p.warmUpMs
  return Math.max(known ? p.floorMs : p.unknownMs, p.timesLongest * series.rest.longestMovedMs)
}

function withOthers({ quote, series, at, peers, parameters: { frozen } }: Sample): string | undefined {
  const { rest } = series
  const moved = rest.movedMs(at)
  if (peers.count === 0 || rest.answersMoved < frozen.minAnswers) return undefined
  if (moved <= restLimitMs(series, at, frozen)) return undefined
  return `${quote.price} since ${toIso(rest.since)}, ${spanText(moved)} after the median of ${peers.count} other sources had moved; it moved ${percentText(rest.peersRange)} since`
}

function alone({ quote, series, at, peers, parameters: { frozen } }: Sample): string | undefined {
  if (peers.count > 0) return undefined
  const { rest } = series
  const ms = (at - rest.since) / 1_000
  const limit =
    rest.changes === 0 ? frozen.aloneUnknownMs : Math.max(frozen.aloneMs, frozen.aloneTimes * rest.longestMs)
  if (ms <= limit) return undefined
  return `${quote.price} since ${toIso(rest.since)}, ${spanText(ms)}; no rest before was longer than ${spanText(rest.longestMs)}, and no other source tells`
}
