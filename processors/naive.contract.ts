import { Decimal } from 'decimal.js'
import { EpochMicros } from '../core/brands.ts'
import type { HistoryPoint, LatestPrice } from '../core/ports/reader.ts'
import { quoteId, quoteVersion } from '../core/records.ts'
import type { Quote } from '../core/records.ts'

/** The item, or a failed test. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

/** What must be left of a list in any order: the largest version of each identity. */
export const winners = (list: readonly Quote[]): readonly Quote[] => {
  const best = new Map<string, Quote>()
  for (const q of list) {
    const there = best.get(quoteId(q))
    if (!there || quoteVersion(q) > quoteVersion(there)) best.set(quoteId(q), q)
  }
  return [...best.values()].sort((a, b) =>
    a.provider === b.provider ? a.observedAt - b.observedAt : a.provider < b.provider ? -1 : 1,
  )
}

/** The bars of the rows, computed the slow and obvious way. */
export function naiveBars(rows: readonly Quote[], widthMs: number): HistoryPoint[] {
  const groups = Map.groupBy(rows, q => `${q.provider} ${Math.floor(q.observedAt / (widthMs * 1_000))}`)
  return [...groups.values()].map(group => {
    const byPrice = [...group].sort((a, b) => new Decimal(a.price).cmp(b.price))
    const first = at(group, 0)
    return {
      provider: first.provider,
      time: EpochMicros(Math.floor(first.observedAt / (widthMs * 1_000)) * widthMs * 1_000),
      open: first.price,
      high: at(byPrice, byPrice.length - 1).price,
      low: at(byPrice, 0).price,
      close: at(group, group.length - 1).price,
      count: group.length,
    }
  })
}

/** Latest = the newest time that any live value ever claimed, with what the store holds for that time. */
export function naiveLatest(list: readonly Quote[], rows: readonly Quote[]): LatestPrice[] {
  const live = list.filter(q => q.origin === 'live')
  return [...Map.groupBy(live, q => q.provider)]
    .map(([provider, group]) => ({ provider, newest: Math.max(...group.map(q => q.observedAt)) }))
    .map(({ provider, newest }) =>
      at(
        rows,
        rows.findIndex(q => q.provider === provider && q.observedAt === newest),
      ),
    )
    .map(({ provider, asset, symbol, currency, price, observedAt, receivedAt, origin }) => ({
      provider,
      asset,
      symbol,
      currency,
      price,
      observedAt,
      receivedAt,
      origin,
    }))
    .sort((a, b) => (a.provider < b.provider ? -1 : 1))
}

/** Equal numbers may be written differently (1.0 and 1.00): which of them is the high is free. */
export const comparable = (points: readonly HistoryPoint[]) =>
  points.map(p => ({ ...p, high: new Decimal(p.high).toString(), low: new Decimal(p.low).toString() }))
