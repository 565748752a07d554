import { toIso } from '../../../core/time.ts'
import type { Detector, Sample } from '../detector.ts'
import { lnOfPercent, percentText, significantDigits, spanText } from '../figures.ts'
import type { JudgeParameters } from '../parameters.ts'
import type { RestLimits } from '../rest.ts'
import type { Series } from '../series.ts'
import { tailTimes } from '../tail.ts'

/**
 * frozen-value: the same digits although answers go on, and
 *   - the others have been away from them four times longer than this series ever needed to follow, and for longer than it ever rested, or
 *   - the others kept changing all the while, for half an hour and longer than the tail of this series' rests allows, or for longer than
 *     it ever rested and with more changes of theirs than the tail of those allows (`tail.ts`), or
 *   - where there are no others: for a day and twelve times its longest rest.
 * Once said it stays so until the digits change: a market that crosses the frozen value proves nothing.
 *
 * Why: CoinDesk's BPI gave 97,376.5 for weeks before its name was taken from the DNS (2025-02), with a clock that went on. A thin
 * asset rests honestly for hours: so the measure is the series' own past, and a series that is not known yet gets six hours.
 */
export const frozenValue: Detector = sample =>
  goesOn(sample) ?? (sample.peers.count === 0 ? alone(sample) : (away(sample) ?? changing(sample)))

/** Of a series at a moment. */
export function restLimitsOf(
  series: Series,
  at: number,
  { frozen: p, tail }: Pick<JudgeParameters, 'frozen' | 'tail'>,
): RestLimits {
  const { rest, usualDistance } = series
  const known = (at - series.firstAt) / 1_000 >= p.warmUpMs
  const usual = Number.isNaN(usualDistance) ? 0 : usualDistance
  const few = !known || rest.changes < p.minChanges
  const floorMs = few ? p.unknownMs : p.restMs
  const times = tailTimes(rest.changes, tail)
  return {
    awayLn: Math.max(lnOfPercent(p.awayPercent), p.awayDeviations * usual),
    awayMs: Math.max(
      known ? p.awayMs : p.unknownMs,
      rest.longestAwayMs.limit(p.timesAway),
      rest.longestMs.limit(p.timesRestAway),
    ),
    isDoubted: !series.isSane,
    restMs: Math.max(floorMs, rest.longestMs.limit(times)),
    peerChanges: Math.max(p.minPeerChanges, rest.mostPeerChanges.limit(times)),
    restedMs: Math.max(floorMs, rest.longestMs.limit(p.timesRest)),
  }
}

function goesOn({ quote, series, at }: Sample): string | undefined {
  if (!series.isFrozen) return undefined
  return `${quote.price} since ${toIso(series.rest.since)}, ${spanText(series.rest.restMs(at))}`
}

function away({ quote, series, at, peers, parameters }: Sample): string | undefined {
  const { rest } = series
  if (rest.answersAway < parameters.frozen.minAnswers) return undefined
  const ms = rest.awayMs(at)
  if (ms <= restLimitsOf(series, at, parameters).awayMs) return undefined
  return `${quote.price} since ${toIso(rest.since)}, and for ${spanText(ms)} away from the median of ${peers.count} other sources`
}

function changing({ quote, series, at, peers, parameters }: Sample): string | undefined {
  const { rest } = series
  const { frozen } = parameters
  if (rest.peerChanges < frozen.minPeerChanges) return undefined
  const limits = restLimitsOf(series, at, parameters)
  const ms = rest.restMs(at)
  const isLong = ms > limits.restMs || (ms > limits.restedMs && rest.peerChanges > limits.peerChanges)
  if (!isLong) return undefined
  const tick = frozen.rangeTicks * 10 ** (1 - significantDigits(quote.price))
  if (rest.peersRange < Math.max(lnOfPercent(frozen.rangePercent), tick)) return undefined
  return `${quote.price} since ${toIso(rest.since)}, while the median of ${peers.count} other sources changed ${rest.peerChanges} times in a range of ${percentText(rest.peersRange)}; no rest before was longer than ${spanText(rest.longestMs.value)}, or saw more than ${rest.mostPeerChanges.value} changes`
}

function alone({ quote, series, at, parameters: { frozen } }: Sample): string | undefined {
  const { rest } = series
  const ms = rest.restMs(at)
  const limit =
    rest.changes === 0
      ? frozen.aloneUnknownMs
      : Math.max(frozen.aloneMs, rest.longestMs.limit(frozen.aloneTimes))
  if (ms <= limit) return undefined
  return `${quote.price} since ${toIso(rest.since)}, ${spanText(ms)}; no rest before was longer than ${spanText(rest.longestMs.value)}, and no other source tells`
}
