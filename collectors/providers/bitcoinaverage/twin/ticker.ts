import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, toEpochMs } from '../../../../core/time.ts'
import {
  divide,
  formatNumber,
  formatShort,
  multiply,
  parseFixed,
  rescale,
} from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { type Json, raw } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { Pair } from './pairs.ts'

/** Indices change once a minute. */
const gridMicros = MINUTE * 1_000
const spans = {
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  month_3: 91 * DAY,
  month_6: 182 * DAY,
  year: 365 * DAY,
}

export const displayed = (at: EpochMicros): string =>
  new Date(toEpochMs(at)).toISOString().slice(0, 19).replace('T', ' ')
export const unix = (at: EpochMicros): number => Math.floor(toEpochMs(at) / 1_000)
export const gridOf = (at: EpochMicros): EpochMicros => micros(at - (at % gridMicros))

/** Prices of one pair, as the index prints them. */
export class Index {
  readonly #prices: PriceSource
  readonly #pair: Pair
  constructor(prices: PriceSource, pair: Pair) {
    this.#prices = prices
    this.#pair = pair
  }

  at(at: EpochMicros): string | undefined {
    const { coin, fiat } = this.#pair
    const { asset, decimals } = coin
    const query = { asset, currency: fiat, at, venue: 'bitcoinaverage', decimals }
    return this.#prices.priceAt({ ...query, style: 'number' })
  }
}

/** What `ticker/short` has of a pair. */
export const shortTicker = (index: Index, last: string, at: EpochMicros): Json => ({
  ask: scaled(last, '1.0002'),
  bid: scaled(last, '0.9998'),
  last: raw(last),
  averages: { day: number(index.at(addMs(at, -DAY / 2))) },
  timestamp: unix(at),
})

/** The whole ticker. What is not known is an empty text, as in bodies of 2016. */
export function fullTicker(pair: Pair, index: Index, last: string, at: EpochMicros): Json {
  const opens = Object.entries(spans).map(([name, ms]) => [name, index.at(addMs(at, -ms))] as const)
  const around = [last, ...[3, 6, 12, 18, 24].map(h => index.at(addMs(at, -h * HOUR)) ?? last)].sort(
    (a, b) => Number(a) - Number(b),
  )
  const hash = hashText(`${pair.name}/${at}`)
  return {
    ask: scaled(last, '1.0002'),
    bid: scaled(last, '0.9998'),
    last: raw(last),
    high: number(around.at(-1)),
    low: number(around[0], -1n),
    open: Object.fromEntries(opens.map(([name, open]) => [name, number(open)])),
    averages: {
      day: number(index.at(addMs(at, -spans.day / 2))),
      week: number(index.at(addMs(at, -spans.week / 2))),
      month: number(index.at(addMs(at, -spans.month / 2))),
    },
    volume: raw(
      `${10_000 + (hash % 50_000)}.${String(hash % 100_000_000)
        .padStart(8, '0')
        .replace(/0$/, '7')}`,
    ),
    changes: {
      percent: Object.fromEntries(opens.map(([name, open]) => [name, percent(last, open)])),
      price: Object.fromEntries(opens.map(([name, open]) => [name, difference(last, open)])),
    },
    volume_percent: raw(`${50 + (hash % 50)}.${10 + (hash % 89)}`),
    timestamp: unix(at),
    display_timestamp: displayed(at),
    display_symbol: `${pair.coin.base}-${pair.fiat}`,
  }
}

const number = (text: string | undefined, units = 1n): Json => (text === undefined ? '' : beside(text, units))

/** More fraction digits than a price has: faults find a price by its digits, so that no other number may have them. */
export function beside(price: string, units = 1n): Json {
  const { units: all, scale } = rescale(parseFixed(price), besideDigits)
  return raw(formatNumber({ units: all + units, scale }))
}
const besideDigits = 10

/** With two digits more than the price, so that it never looks like it. */
function scaled(price: string, factor: string): Json {
  const value = parseFixed(price)
  return raw(formatNumber(rescale(multiply(value, parseFixed(factor)), value.scale + 2)))
}

const minus = (last: string, open: string) => {
  const [a, b] = [parseFixed(last), parseFixed(open)]
  const scale = Math.max(a.scale, b.scale)
  return { units: rescale(a, scale).units - rescale(b, scale).units, scale }
}

const difference = (last: string, open: string | undefined): Json =>
  open === undefined ? '' : raw(formatShort(minus(last, open)))

function percent(last: string, open: string | undefined): Json {
  if (open === undefined) return ''
  const change = minus(last, open)
  return raw(formatShort(divide({ units: change.units * 100n, scale: change.scale }, parseFixed(open), 2)))
}
