import { Decimal } from 'decimal.js'
import { Credits, DecimalString, type EpochMicros } from '../../core/brands.ts'
import { consensusProvider } from '../../core/records.ts'
import type { Consensus, ConsensusSource, Quote, SourceFlag } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { aheadText } from './ahead.ts'
import type { Group } from './board.ts'
import { isDivergent } from './detectors/divergence.ts'
import { lnOf, spanText } from './figures.ts'
import type { ConsensusParameters, JudgeParameters } from './parameters.ts'
import type { Series } from './series.ts'

/** So many digits are exact for any sum of two prices that the product stores; the quotient of a spread is cut long before. */
const Exact = Decimal.clone({ precision: 100, toExpNeg: -30, toExpPos: 30 })
const maxDigits = 60
const spreadPlaces = 6
const microsPerMs = 1_000

/** What the sources of a minute say together. */
export interface Agreement {
  readonly consensus: Consensus
  /** Why it is no price to tell: just two sources count, and they part. Their mean would be the price of neither. */
  readonly parted: string | undefined
}

/**
 * Median, median absolute deviation and spread of the sources that nobody doubts and that are fresh, in exact decimals. undefined
 * where fewer than `minSources` count: then there is no price to tell.
 */
export function consensusOf(
  group: Group,
  at: EpochMicros,
  receivedAt: EpochMicros,
  parameters: JudgeParameters,
): Agreement | undefined {
  const p = parameters.consensus
  const sources = group.series.map(s => sourceOf(s, at, receivedAt, parameters))
  const counted = sources.filter(s => s.excluded === null)
  const [first] = group.series
  if (!first || counted.length < Math.max(1, p.minSources)) return undefined
  const prices = counted.map(s => new Exact(s.price)).toSorted((a, b) => a.comparedTo(b))
  const price = medianOf(prices)
  const mad = medianOf(prices.map(x => x.minus(price).abs()).toSorted((a, b) => a.comparedTo(b)))
  const spread = (prices.at(-1) ?? price)
    .minus(prices[0] ?? price)
    .times(100)
    .dividedBy(price)
  const spreadPercent = DecimalString(textOf(spread.toDecimalPlaces(spreadPlaces)))
  const parted = partedOf(group, { at, counted, spreadPercent }, p)
  const wayLn = parted === undefined ? wayOf(group, DecimalString(textOf(price)), at, counted) : 0
  const consensus: Consensus = {
    ...{ kind: 'consensus', asset: group.asset, symbol: first.latest.symbol, currency: group.currency, at },
    ...{ price: DecimalString(textOf(price)), mad: DecimalString(textOf(mad)), spreadPercent },
    isDivergent: isDivergent(Number(spreadPercent), wayLn, p),
    ...{ sources, receivedAt, origin: group.world },
  }
  return { consensus, parted }
}

/** The market's own way without this minute: a lie moves their mean, too. */
function partedOf(
  group: Group,
  {
    at,
    counted,
    spreadPercent,
  }: Pick<Consensus, 'at' | 'spreadPercent'> & { counted: readonly ConsensusSource[] },
  { partedPercent }: ConsensusParameters,
): string | undefined {
  const [a, b] = counted
  if (!a || !b || counted.length > 2) return undefined
  const oldest = Math.max(a.ageMs, b.ageMs) * microsPerMs
  group.range.between(at - oldest - 60_000_000, at - 60_000_000)
  if (Number(spreadPercent) <= partedPercent + 100 * Math.expm1(group.range.width)) return undefined
  return `${a.provider} ${a.price} and ${b.provider} ${b.price} lie ${Number(spreadPercent).toPrecision(3)} % apart, and no third source decides`
}

/** The consensus as a price like any other: a row of its own provider. */
export function consensusQuote(c: Consensus): Quote {
  const rawRef = `consensus|${c.asset}|${c.currency}|${c.at}`
  return {
    ...{ kind: 'quote', provider: consensusProvider, asset: c.asset, symbol: c.symbol, sourceId: 'median' },
    ...{ currency: c.currency, price: c.price, observedAt: c.at, observedBy: 'receiver' },
    ...{ receivedAt: c.receivedAt, revision: 0, origin: c.origin, runId: `judge|${c.at}` },
    ...{ credits: Credits(0), rawRef },
  }
}

/** The event of a divergence that lasts: a flag on the row of the consensus. Keeps in the group how long it has lasted. */
export function divergenceOf(
  group: Group,
  c: Consensus,
  { consensus: p }: JudgeParameters,
): SourceFlag | undefined {
  group.divergent = c.isDivergent
    ? { since: group.divergent?.since ?? c.at, minutes: (group.divergent?.minutes ?? 0) + 1 }
    : undefined
  if (!group.divergent || group.divergent.minutes < p.divergenceMinutes) return undefined
  const counted = c.sources.filter(s => s.excluded === null)
  const evidence = `${counted.length} sources lie ${c.spreadPercent} % apart: ${counted.map(s => `${s.provider} ${s.price}`).join(', ')}`
  return {
    ...{ kind: 'source-flag', provider: consensusProvider, asset: c.asset, currency: c.currency },
    ...{ observedAt: c.at, flag: 'divergence', since: group.divergent.since },
    ...{ evidence: evidence.slice(0, 500), receivedAt: c.receivedAt, origin: c.origin },
  }
}

function sourceOf(
  s: Series,
  at: EpochMicros,
  now: EpochMicros,
  parameters: JudgeParameters,
): ConsensusSource {
  const { price, observedAt } = s.latest
  const { maxAgeMs } = parameters.consensus
  const ageMs = Math.max(0, Math.floor((at - observedAt) / microsPerMs))
  const tooOld = ageMs > maxAgeMs ? `too old: ${spanText(ageMs)}, at most ${spanText(maxAgeMs)}` : null
  const ahead = aheadText(s.latest, now, parameters)
  const excluded = ahead ?? doubtText(s, parameters.cleanValues) ?? tooOld
  return { provider: s.provider, price, observedAt, ageMs, excluded }
}

/** Why the source is not believed, in one line; undefined = it is. */
export function doubtText(series: Series, cleanValues: number): string | undefined {
  if (series.isSane) return undefined
  const doubts = [...series.doubts].map(([flag, { since, clean }]) => {
    const answered = clean === 0 ? '' : `, ${clean} of ${cleanValues} clean values since`
    return `${flag} since ${toIso(since)}${answered}`
  })
  return doubts.join('; ')
}

/** How far the consensus went since the oldest value that counts, in logarithms. Adds the new one. */
function wayOf(
  group: Group,
  price: DecimalString,
  at: EpochMicros,
  counted: readonly ConsensusSource[],
): number {
  group.range.add(at, lnOf(price))
  const oldest = Math.max(...counted.map(s => s.ageMs)) * microsPerMs
  group.range.between(at - oldest - 60_000_000, at)
  return group.range.width
}

function medianOf(sorted: readonly Decimal[]): Decimal {
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? new Exact(0)
  return sorted.length % 2 === 1 ? high : high.plus(sorted[middle - 1] ?? high).dividedBy(2)
}

/** At most `maxDigits` digits: what is stored has a limit, and no price needs more. */
const textOf = (value: Decimal): string => value.toSignificantDigits(maxDigits).toString()
