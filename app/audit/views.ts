import type { DecimalString, EpochMicros } from '../../core/brands.ts'
import type { HistoryPoint, QuoteReader } from '../../core/ports/reader.ts'
import type { Quote } from '../../core/records.ts'
import { HOUR, MINUTE, toIso } from '../../core/time.ts'
import { compareDecimals } from '../../processors/sinks/sqlite/compare.ts'
import type { Difference } from './compare.ts'
import { groupAt } from './groups.ts'
import { type Series, storedBars } from './stored-bars.ts'

const widths = [
  { name: 'minute', ms: MINUTE },
  { name: 'hour', ms: HOUR },
] as const

interface Bar {
  readonly open: DecimalString
  high: DecimalString
  low: DecimalString
  close: DecimalString
  count: number
}

interface Seen extends Series {
  /** Bars by width and start, made of the rows alone. */
  readonly bars: Readonly<Record<(typeof widths)[number]['name'], Map<number, Bar>>>
  /** observedAt of the newest row that says what a price is now. */
  newest: number
}

const keyOf = (s: Series): string => `${s.provider}|${s.asset}|${s.currency}`

/** What the page shows (bars, latest prices), made anew from the store's rows, which come in the order of time within a series. */
export class Views {
  readonly #seen = new Map<string, Seen>()

  add(quote: Quote): void {
    const seen = this.#of(quote)
    for (const { name, ms } of widths) addTo(seen.bars[name], quote, ms * 1_000)
    if (quote.origin === 'live' || quote.origin === 'sandbox')
      seen.newest = Math.max(seen.newest, quote.observedAt)
  }

  #of({ provider, asset, currency }: Series): Seen {
    const key = keyOf({ provider, asset, currency })
    const known = this.#seen.get(key)
    if (known) return known
    const bars = { minute: new Map<number, Bar>(), hour: new Map<number, Bar>() }
    const made = { provider, asset, currency, bars, newest: -1 }
    this.#seen.set(key, made)
    return made
  }

  /** Compares whole minutes and hours within [from, to), of which all rows were added. */
  async compare(
    reader: QuoteReader,
    from: EpochMicros,
    to: EpochMicros,
  ): Promise<{ readonly bars: number; readonly differences: readonly Difference[] }> {
    const latest = await reader.latest()
    const latestAt = new Map(latest.map(price => [keyOf(price), price.observedAt]))
    for (const price of latest) this.#of(price)
    const differences: Difference[] = []
    let bars = 0
    for (const seen of this.#seen.values()) {
      const at = latestAt.get(keyOf(seen))
      if (seen.newest > (at ?? -1))
        differences.push(difference(at === undefined ? 'missing' : 'changed', 'latest', seen, seen.newest))
      for (const { name, ms } of widths) {
        const width = ms * 1_000
        const range = { from: Math.ceil(from / width) * width, to: Math.floor(to / width) * width }
        const stored = await storedBars(reader, seen, { ...range, ms, starts: seen.bars[name].keys() })
        const made = new Map(
          [...seen.bars[name]].filter(([start]) => start >= range.from && start < range.to),
        )
        bars += made.size
        differences.push(...unequal(made, stored, seen, name))
      }
    }
    return { bars, differences }
  }
}

function addTo(bars: Map<number, Bar>, { observedAt, price }: Quote, width: number): void {
  const start = observedAt - (observedAt % width)
  const bar = bars.get(start)
  if (!bar) {
    bars.set(start, { open: price, high: price, low: price, close: price, count: 1 })
    return
  }
  if (compareDecimals(price, bar.high) > 0) bar.high = price
  if (compareDecimals(price, bar.low) < 0) bar.low = price
  bar.close = price
  bar.count += 1
}

const parts = ['open', 'high', 'low', 'close', 'count'] as const

function unequal(
  made: ReadonlyMap<number, Bar>,
  stored: ReadonlyMap<number, HistoryPoint>,
  series: Series,
  name: string,
): Difference[] {
  const found: Difference[] = []
  for (const [start, bar] of made) {
    const point = stored.get(start)
    if (!point) found.push(difference('missing', 'bars', series, start, name))
    else if (parts.some(part => bar[part] !== point[part]))
      found.push(difference('changed', 'bars', series, start, name))
  }
  for (const start of stored.keys())
    if (!made.has(start)) found.push(difference('extra', 'bars', series, start, name))
  return found
}

const difference = (
  kind: Difference['kind'],
  place: string,
  series: Series,
  at: number,
  name?: string,
): Difference => ({
  kind,
  in: place,
  group: groupAt(series.provider, series.asset, at as EpochMicros),
  id: [keyOf(series), ...(name === undefined ? [] : [name]), toIso(at as EpochMicros)].join('|'),
})
