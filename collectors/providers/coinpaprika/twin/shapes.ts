import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, HOUR, toEpochMs } from '../../../../core/time.ts'
import { formatFixed, formatShort, multiply, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { type Json, raw } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { Coin } from './coins.ts'

/** `2026-11-21T12:00:00Z` */
export const isoSeconds = (at: EpochMicros): string =>
  `${new Date(toEpochMs(at)).toISOString().slice(0, 19)}Z`

/** Prices of one venue at one moment of its own grid. */
export class Market {
  readonly #prices: PriceSource
  constructor(prices: PriceSource) {
    this.#prices = prices
  }

  price({ asset, decimals }: Coin, currency: string, at: EpochMicros): string | undefined {
    return this.#prices.priceAt({ asset, currency, at, venue: 'coinpaprika', decimals, style: 'number' })
  }

  /** Price x supply in whole units, as CoinPaprika prints it. */
  cap(coin: Coin, price: string): string {
    return formatFixed(rescale(multiply(parseFixed(price), parseFixed(coin.supply)), 0))
  }

  volume(coin: Coin, price: string, at: EpochMicros): string {
    const share = 1 + (hashText(`${coin.id}/${at}`) % 900)
    const cap = multiply(parseFixed(price), parseFixed(coin.supply))
    return formatShort(rescale(multiply(cap, { units: BigInt(share), scale: 4 }), 8))
  }

  change(coin: Coin, currency: string, at: EpochMicros, hours: number): number {
    const before = Number(this.price(coin, currency, micros(at - hours * HOUR * 1_000)) ?? 1)
    const now = Number(this.price(coin, currency, at) ?? before)
    return Math.round((now / before - 1) * 10_000) / 100
  }
}

/** One row of `/v1/tickers`. A currency that the price source does not have is not in `quotes`. */
export function tickerOf(market: Market, coin: Coin, currencies: readonly string[], at: EpochMicros): Json {
  const quotes: Record<string, Json> = {}
  for (const currency of currencies) {
    const price = market.price(coin, currency, at)
    if (price !== undefined) quotes[currency] = quoteOf(market, coin, { currency, price, at })
  }
  return {
    ...{ id: coin.id, name: coin.name, symbol: coin.symbol, rank: coin.rank },
    total_supply: raw(coin.supply),
    max_supply: raw(coin.maxSupply),
    beta_value: raw(`0.${900_000 + (hashText(coin.id) % 99_999)}`),
    first_data_at: '2013-04-28T00:00:00Z',
    last_updated: isoSeconds(at),
    quotes,
  }
}

interface Priced {
  readonly currency: string
  readonly price: string
  readonly at: EpochMicros
}

function quoteOf(market: Market, coin: Coin, { currency, price, at }: Priced): Json {
  const change = (hours: number): number => market.change(coin, currency, at, hours)
  const isUsd = currency === 'USD'
  return {
    price: raw(price),
    volume_24h: raw(market.volume(coin, price, at)),
    volume_24h_change_24h: change(7),
    market_cap: raw(market.cap(coin, price)),
    market_cap_change_24h: change(24),
    ...{ percent_change_15m: change(0.25), percent_change_30m: change(0.5), percent_change_1h: change(1) },
    ...{ percent_change_6h: change(6), percent_change_12h: change(12), percent_change_24h: change(24) },
    ...{ percent_change_7d: change(168), percent_change_30d: change(720), percent_change_1y: change(8_760) },
    ath_price: isUsd ? raw(formatShort(multiply(parseFixed(price), parseFixed('1.5')))) : null,
    ath_date: isUsd ? '2025-10-06T18:57:42Z' : null,
    percent_from_price_ath: isUsd ? -33.33 : null,
  }
}

/** A row of `/v1/coins` and of a search. */
export const coinOf = (coin: Coin): Json => ({
  ...{ id: coin.id, name: coin.name, symbol: coin.symbol, rank: coin.rank },
  ...{ is_new: false, is_active: coin.active, type: 'coin' },
})

/** The figures of `/v1/global`, by the members that hold them; only coins with a ticker count. */
export function figuresOf(market: Market, coins: readonly Coin[], at: EpochMicros) {
  let [cap, volume, bitcoin] = [0n, 0n, 0n]
  for (const coin of coins) {
    const price = market.price(coin, 'USD', at) ?? '0'
    const own = BigInt(market.cap(coin, price))
    cap += own
    volume += BigInt(market.volume(coin, price, at).split('.', 1)[0] ?? '0')
    if (coin.id === 'btc-bitcoin') bitcoin = own
  }
  return {
    market_cap_usd: String(cap),
    volume_24h_usd: String(volume),
    bitcoin_dominance_percentage: String(Number((bitcoin * 10_000n) / cap) / 100),
    cryptocurrencies_number: String(coins.length),
  }
}
export type Figures = ReturnType<typeof figuresOf>

export const globalOf = (figures: Figures, at: EpochMicros): Json => ({
  ...Object.fromEntries(Object.entries(figures).map(([name, text]) => [name, raw(text)])),
  ...{ market_cap_ath_value: 4_280_000_000_000, market_cap_ath_date: '2025-10-06T18:55:00Z' },
  market_cap_change_24h: 0.42,
  last_updated: Math.floor(toEpochMs(at) / 1_000),
})

/** Midnights from `start` to `end`, both included. */
export function midnights(start: EpochMicros, end: EpochMicros): EpochMicros[] {
  const found: EpochMicros[] = []
  let at = micros(Math.ceil(start / (DAY * 1_000)) * DAY * 1_000)
  for (; at <= end; at = addMs(at, DAY)) found.push(at)
  return found
}
