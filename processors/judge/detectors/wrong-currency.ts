import type { Quote } from '../../../core/records.ts'
import type { Detector, Sample } from '../detector.ts'
import { lnOfPercent, percentText, significantDigits } from '../figures.ts'
import { farShare } from '../peers.ts'
import { hasJustMoved } from './outlier.ts'
import type { Series } from '../series.ts'

/**
 * wrong-currency: the price lies off the others by just the rate between its currency and another one, as other sources show that rate;
 * or the very digits stand under another currency of the same provider, and neither the others nor the series' own past say that
 * this label is the right one.
 *
 * Why: CoinDesk's last weeks (2025) gave dollars whatever currency was asked. Currencies pegged to each other are left out: their
 * digits may be equal, and no source can tell them apart.
 */
export const wrongCurrency: Detector = sample => byCrossRate(sample) ?? byDigits(sample)

/** A small rate may be the way of the market: who has just left a long rest must be off by more than the series usually jumps. */
function byCrossRate(sample: Sample): string | undefined {
  const { ln, at, peers, series, board, parameters } = sample
  const near = lnOfPercent(parameters.nearPercent)
  if (farShare(peers, near) <= parameters.outlier.agreement) return undefined
  const off = ln - peers.median
  const { steps, restedTimes } = parameters.outlier
  const jump = hasJustMoved(sample) ? restedTimes * Math.max(near, steps * series.usualStep) : near
  for (const [currency, rate] of board.crossRates(series, at)) {
    const fits = Math.abs(off - rate) < lnOfPercent(parameters.currency.crossPercent)
    if (fits && Math.abs(rate) > jump)
      return `${percentText(off)} from the median of ${peers.count} other sources, which is the rate to ${currency}: the price seems to be in ${currency}`
  }
  return undefined
}

function byDigits({ quote, series, at, peers, parameters }: Sample): string | undefined {
  if (series.sameDigits < parameters.currency.sameDigits) return undefined
  const near = lnOfPercent(parameters.nearPercent)
  if (peers.count > 0 && peers.distances.some(d => Math.abs(d) <= near)) return undefined
  const { cleanAt, cleanLn } = series
  const hasPast = cleanAt !== undefined && (at - cleanAt) / 1_000 <= parameters.unit.ownMaxAgeMs
  if (hasPast && Math.abs(series.ln - cleanLn) <= near) return undefined
  return `${quote.price} stands under another currency of ${quote.provider} too, ${series.sameDigits} answers in a row`
}

/** Whether another currency of the provider had the very digits in the same answer or the one before. */
export function hasSameDigits(
  quote: Quote,
  siblings: readonly Series[],
  { currency }: Sample['parameters'],
): boolean {
  if (significantDigits(quote.price) < currency.minDigits) return false
  const pegged = currency.pegged.includes(quote.currency)
  return siblings.some(
    s =>
      s.latest.price === quote.price &&
      s.asset === quote.asset &&
      s.currency !== quote.currency &&
      !(pegged && currency.pegged.includes(s.currency)) &&
      (quote.receivedAt - s.latest.receivedAt) / 1_000 <= currency.sameAnswerMs,
  )
}
