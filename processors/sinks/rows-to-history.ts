import type { DecimalString, EpochMicros } from '../../core/brands.ts'
import type { History, HistoryPoint, HistoryQuery, LatestPrice } from '../../core/ports/reader.ts'
import { quoteId } from '../../core/records.ts'
import type { Quote } from '../../core/records.ts'
import { compareDecimals } from './sqlite/compare.ts'
import { rollUpWidthsMs } from './sqlite/schema.ts'

/** What a point is made of. */
export type PriceRow = Pick<Quote, 'provider' | 'observedAt' | 'price'>

/** The rows to read for a history, and the width of its points: whole buckets, so that no point is made of half of its rows. */
export interface HistoryPlan {
  readonly stepMs: number
  /** [from, to) of observedAt. */
  readonly from: EpochMicros
  readonly to: EpochMicros
}

/** A coarser width is taken where a finer one would give more points than this for one series. */
const maxPoints = 20_000

/** The narrowest width that is not finer than asked and not too long for one answer; the widest if there is none. */
export function historyPlan(query: Pick<HistoryQuery, 'from' | 'to' | 'stepMs'>): HistoryPlan {
  const fits = rollUpWidthsMs.find(
    width => width >= query.stepMs && (query.to - query.from) / (width * 1_000) <= maxPoints,
  )
  const stepMs = fits ?? rollUpWidthsMs[2]
  const width = stepMs * 1_000
  const from = Math.floor(query.from / width) * width
  return { stepMs, from: from as EpochMicros, to: (Math.ceil(query.to / width) * width) as EpochMicros }
}

interface OpenBar {
  open: DecimalString
  high: DecimalString
  low: DecimalString
  close: DecimalString
  count: number
  firstAt: number
  lastAt: number
}

/**
 * Points of a history out of rows, for stores that keep no roll-up of their own. Rows are of one asset and currency, each identity
 * once, in any order; memory is that of the points.
 */
export class HistoryFold {
  readonly #plan: HistoryPlan
  readonly #bars = new Map<PriceRow['provider'], Map<number, OpenBar>>()
  constructor(plan: HistoryPlan) {
    this.#plan = plan
  }

  /** A row outside the plan is left out. */
  add({ provider, observedAt, price }: PriceRow): void {
    if (observedAt < this.#plan.from || observedAt >= this.#plan.to) return
    const start = Math.floor(observedAt / (this.#plan.stepMs * 1_000))
    const ofProvider = this.#bars.get(provider) ?? new Map<number, OpenBar>()
    if (ofProvider.size === 0) this.#bars.set(provider, ofProvider)
    const bar = ofProvider.get(start)
    if (bar) widen(bar, observedAt, price)
    else ofProvider.set(start, barOf(observedAt, price))
  }

  /** In the order provider, time. */
  points(): readonly HistoryPoint[] {
    const width = this.#plan.stepMs * 1_000
    const providers = [...this.#bars].sort(([a], [b]) => (a < b ? -1 : 1))
    return providers.flatMap(([provider, bars]) =>
      [...bars]
        .sort(([a], [b]) => a - b)
        .map(([start, { open, high, low, close, count }]) => ({
          ...{ provider, time: (start * width) as EpochMicros },
          ...{ open, high, low, close, count },
        })),
    )
  }
}

const barOf = (at: number, price: DecimalString): OpenBar => ({
  ...{ open: price, high: price, low: price, close: price },
  ...{ count: 1, firstAt: at, lastAt: at },
})

function widen(bar: OpenBar, at: number, price: DecimalString): void {
  bar.count += 1
  if (compareDecimals(price, bar.high) > 0) bar.high = price
  if (compareDecimals(price, bar.low) < 0) bar.low = price
  if (at < bar.firstAt) [bar.firstAt, bar.open] = [at, price]
  if (at >= bar.lastAt) [bar.lastAt, bar.close] = [at, price]
}

/** The history that a query asks for; `read` gives the rows of its asset, currency and provider in the range of the plan. */
export async function historyFromRows(
  query: HistoryQuery,
  read: (plan: HistoryPlan) => AsyncIterable<PriceRow>,
): Promise<History> {
  const plan = historyPlan(query)
  const fold = new HistoryFold(plan)
  for await (const row of read(plan)) fold.add(row)
  return { stepMs: plan.stepMs, points: fold.points() }
}

/** Only these origins say what a price, or a record, is now. */
export const saysNow = ({ origin }: Pick<Quote, 'origin'>): boolean =>
  origin === 'live' || origin === 'sandbox'

/** What a view shows of a row. */
export const latestPriceOf = (q: Quote): LatestPrice => ({
  ...{ provider: q.provider, asset: q.asset, symbol: q.symbol, currency: q.currency },
  ...{ price: q.price, observedAt: q.observedAt, receivedAt: q.receivedAt, origin: q.origin },
})

/**
 * Latest prices out of rows and marks. A mark is the newest observedAt that a live row of its series ever claimed; a backfilled row
 * may have replaced that one since, and is shown then: what the store holds for that time. In the order provider, asset, currency.
 */
export function latestFromRows(
  marks: readonly Pick<Quote, 'provider' | 'asset' | 'currency' | 'observedAt'>[],
  rows: readonly Quote[],
): readonly LatestPrice[] {
  const byId = new Map(rows.map(row => [quoteId(row), row]))
  return marks
    .flatMap(mark => byId.get(quoteId(mark)) ?? [])
    .map(latestPriceOf)
    .sort(bySeries)
}

type Series = Pick<Quote, 'provider' | 'asset' | 'currency'>
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The order of rows and latest prices: provider, asset, currency. */
export const bySeries = (a: Series, b: Series): number =>
  compareText(a.provider, b.provider) || compareText(a.asset, b.asset) || compareText(a.currency, b.currency)
