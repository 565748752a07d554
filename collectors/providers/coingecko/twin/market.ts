import { EpochMicros } from '../../../../core/brands.ts'
import { HOUR, toEpochMs } from '../../../../core/time.ts'
import { formatFixed, formatShort, multiply, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { type Json, raw } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { Coin } from './coins.ts'

/** What the twin quotes in, of the 60 that CoinGecko has. */
export const currencies: readonly string[] = ['usd', 'eur', 'gbp', 'jpy', 'btc', 'eth']

/** Figures of one moment of the twin's own grid, as text. */
export class Market {
  readonly #prices: PriceSource
  constructor(prices: PriceSource) {
    this.#prices = prices
  }

  price({ asset, decimals }: Coin, currency: string, at: EpochMicros): string | undefined {
    const common = { venue: 'coingecko', decimals, style: 'number' } as const
    return this.#prices.priceAt({ asset, currency: currency.toUpperCase(), at, ...common })
  }

  cap({ supply }: Coin, price: string): string {
    return formatShort(rescale(multiply(parseFixed(price), parseFixed(supply)), 4))
  }

  volume(coin: Coin, price: string, at: EpochMicros): string {
    const share = { units: BigInt(1 + (hashText(`${coin.id}/${at}`) % 900)), scale: 4 }
    return formatShort(rescale(multiply(parseFixed(this.cap(coin, price)), share), 4))
  }

  change(coin: Coin, currency: string, at: EpochMicros): string {
    const before = Number(this.price(coin, currency, EpochMicros(at - 24 * HOUR * 1_000)) ?? 1)
    return String((Number(this.price(coin, currency, at) ?? before) / before - 1) * 100)
  }
}

export const isoMs = (at: EpochMicros): string => new Date(toEpochMs(at)).toISOString()

/** A row of `/coins/markets`. */
export function rowOf(market: Market, coin: Coin, currency: string, at: EpochMicros): Json {
  const price = market.price(coin, currency, at) ?? '0'
  const near = (factor: string): Json => raw(formatShort(multiply(parseFixed(price), parseFixed(factor))))
  return {
    ...{ id: coin.id, symbol: coin.symbol, name: coin.name, image: `https://example.invalid/${coin.id}.png` },
    current_price: raw(price),
    market_cap: raw(market.cap(coin, price)),
    market_cap_rank: coin.rank,
    fully_diluted_valuation: raw(market.cap(coin, price)),
    total_volume: raw(market.volume(coin, price, at)),
    ...{ high_24h: near('1.02'), low_24h: near('0.97'), price_change_24h: near('0.01') },
    price_change_percentage_24h: raw(market.change(coin, currency, at)),
    ...{ market_cap_change_24h: near('99'), market_cap_change_percentage_24h: 0.5 },
    circulating_supply: raw(coin.supply),
    total_supply: raw(coin.supply),
    max_supply: coin.maxSupply === null ? null : raw(coin.maxSupply),
    ...{ ath: near('1.5'), ath_change_percentage: -33.3, ath_date: '2025-10-06T18:57:42.558Z' },
    ...{ atl: near('0.001'), atl_change_percentage: 99_900, atl_date: '2013-07-06T00:00:00.000Z' },
    roi: null,
    last_updated: isoMs(at),
  }
}

/** A coin of `/simple/price`; a currency that is not known is left out. */
export function pricesOf(market: Market, coin: Coin, query: URLSearchParams, at: EpochMicros): Json {
  const wants = (name: string): boolean => query.get(`include_${name}`) === 'true'
  const members: Record<string, Json> = {}
  for (const currency of askedCurrencies(query)) {
    const price = market.price(coin, currency, at)
    if (price === undefined) continue
    members[currency] = raw(price)
    if (wants('market_cap')) members[`${currency}_market_cap`] = raw(market.cap(coin, price))
    if (wants('24hr_vol')) members[`${currency}_24h_vol`] = raw(market.volume(coin, price, at))
    if (wants('24hr_change')) members[`${currency}_24h_change`] = raw(market.change(coin, currency, at))
  }
  if (wants('last_updated_at')) members['last_updated_at'] = Math.floor(toEpochMs(at) / 1_000)
  return members
}

export const askedCurrencies = (query: URLSearchParams): readonly string[] =>
  (query.get('vs_currencies') ?? '')
    .toLowerCase()
    .split(',')
    .filter(name => currencies.includes(name))

/** The figures of `/global`, as text by their members. */
export function figuresOf(market: Market, coins: readonly Coin[], currency: string, at: EpochMicros) {
  let [cap, volume] = [0n, 0n]
  const own = new Map<string, bigint>()
  for (const coin of coins) {
    const price = market.price(coin, currency, at) ?? '0'
    const coinCap = BigInt(formatFixed(rescale(parseFixed(market.cap(coin, price)), 0)))
    cap += coinCap
    volume += BigInt(formatFixed(rescale(parseFixed(market.volume(coin, price, at)), 0)))
    own.set(coin.id, coinCap)
  }
  const share = (id: string): string =>
    String(Number(((own.get(id) ?? 0n) * 1_000_000n) / (cap === 0n ? 1n : cap)) / 10_000)
  return { cap: String(cap), volume: String(volume), btc: share('bitcoin'), eth: share('ethereum') }
}
