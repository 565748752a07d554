import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, fromEpochMs, HOUR, SECOND, toEpochMs } from '../../../../core/time.ts'
import { formatFixed, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'
import type { BinancePair } from './pairs.ts'

/** The day of the first market; all of the twin's are as old. */
export const listedAtMs = Date.UTC(2017, 7, 17)
const sentDigits = 8

/** Prices change once a second, at its beginning. */
export const lastChange = (at: EpochMicros): EpochMicros => micros(at - (at % (SECOND * 1_000)))

const eight = (text: string): string => formatFixed(rescale(parseFixed(text), sentDigits))
const amount = (key: string, most: number): string => {
  const hash = hashText(key)
  return `${hash % most}.${String(hash % 100_000_000).padStart(8, '0')}`
}

/** What one pair traded at; a dollar and a Tether are worth the same here. */
export class Market {
  readonly #prices: PriceSource
  constructor(prices: PriceSource) {
    this.#prices = prices
  }

  price({ asset, quote, tickDigits }: BinancePair, at: EpochMicros): string {
    const currency = quote === 'USDT' ? 'USD' : quote
    const query = { asset, currency, at, venue: 'binance', decimals: tickDigits, style: 'fixed' } as const
    return eight(this.#prices.priceAt(query) ?? '0')
  }

  value(pair: BinancePair, price: string, observedAt: EpochMicros | null): ServedValue {
    return { sourceId: pair.symbol, currency: pair.quote, price, observedAt }
  }

  /** `ticker/24hr`; MINI lacks the change. */
  ticker(pair: BinancePair, now: EpochMicros, isMini: boolean): { row: Json; value: ServedValue } {
    const at = lastChange(now)
    const [last, open] = [this.price(pair, at), beside(this.price(pair, addMs(at, -DAY)))]
    const key = `${pair.symbol}/${at}`
    const change = {
      priceChange: difference(last, open),
      priceChangePercent: percent(last, open),
      weightedAvgPrice: beside(this.price(pair, addMs(at, -12 * HOUR))),
      prevClosePrice: open,
    }
    const book = {
      lastQty: amount(key, 3),
      bidPrice: moved(last, pair, -1n),
      bidQty: amount(`${key}/bid`, 50),
      askPrice: moved(last, pair, 1n),
      askQty: amount(`${key}/ask`, 50),
    }
    const row = {
      symbol: pair.symbol,
      ...(isMini ? {} : change),
      lastPrice: last,
      ...(isMini ? {} : book),
      ...{ openPrice: open, ...this.#extremes(pair, at, last, open) },
      ...{ volume: amount(`${key}/volume`, 90_000), quoteVolume: amount(`${key}/quote`, 900_000_000) },
      ...{ openTime: toEpochMs(at) - DAY, closeTime: toEpochMs(at) },
      ...{ firstId: hashText(pair.symbol), lastId: hashText(pair.symbol) + 90_000, count: 90_001 },
    }
    return { row, value: this.value(pair, last, at) }
  }

  /** One candle, with its close where it is over. */
  candle(
    pair: BinancePair,
    openMs: number,
    { widthMs, now }: { readonly widthMs: number; readonly now: EpochMicros },
  ): { row: Json; value: ServedValue | undefined } {
    const end = fromEpochMs(openMs + widthMs)
    const isOver = end <= now
    const [open, close] = [
      beside(this.price(pair, fromEpochMs(openMs))),
      this.price(pair, isOver ? end : lastChange(now)),
    ]
    const { highPrice, lowPrice } = this.#extremes(pair, isOver ? end : now, close, open)
    const key = `${pair.symbol}/${openMs}`
    const row = [
      ...[raw(String(openMs)), open, highPrice, lowPrice, close, amount(key, 90_000)],
      ...[raw(String(openMs + widthMs - 1)), amount(`${key}/quote`, 900_000_000), hashText(key) % 2_000_000],
      ...[amount(`${key}/taker`, 45_000), amount(`${key}/taker-quote`, 450_000_000), '0'],
    ]
    // The body tells the last millisecond; the close is that of the whole period.
    return { row, value: isOver ? this.value(pair, close, micros(end - 1)) : undefined }
  }

  #extremes(
    pair: BinancePair,
    at: EpochMicros,
    ...others: string[]
  ): { highPrice: string; lowPrice: string } {
    const prices = [...others, ...[6, 12, 18].map(hours => this.price(pair, addMs(at, -hours * HOUR)))]
    const sorted = prices.toSorted((a, b) => Number(a) - Number(b))
    return { highPrice: beside(sorted.at(-1) ?? '0'), lowPrice: beside(sorted[0] ?? '0', -2n) }
  }
}

/** Less than a tick away: no other number of a body has the digits of a price, which end in zeros. */
const beside = (price: string, units = 1n): string =>
  formatFixed({ units: unitsOf(price) + units, scale: sentDigits })

const unitsOf = (text: string): bigint => parseFixed(text).units

function difference(a: string, b: string): string {
  return formatFixed({ units: unitsOf(a) - unitsOf(b), scale: sentDigits })
}

/** Three fraction digits. */
function percent(last: string, open: string): string {
  const units = unitsOf(open) === 0n ? 0n : ((unitsOf(last) - unitsOf(open)) * 100_000n) / unitsOf(open)
  return formatFixed({ units, scale: 3 })
}

/** One tick up or down. */
const moved = (price: string, { tickDigits }: BinancePair, ticks: bigint): string =>
  formatFixed({ units: unitsOf(price) + ticks * 10n ** BigInt(sentDigits - tickDigits), scale: sentDigits })
