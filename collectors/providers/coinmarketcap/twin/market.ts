import type { EpochMicros } from '../../../../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, SECOND } from '../../../../core/time.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import { divide, formatNumber, limitDigits, multiply, parseFixed } from '../../../../sandbox/decimal.ts'
import type { Fixed } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import { coins } from './coins.ts'
import type { Coin } from './coins.ts'
import type { ConvertCurrency } from './currencies.ts'

/** Numbers of one coin in one currency, as source text. */
export interface CoinQuote {
  readonly currency: ConvertCurrency
  readonly price: string
  readonly volume: string
  readonly cexVolume: string
  readonly dexVolume: string
  readonly volumeChange: string
  readonly changes: Readonly<Record<'1h' | '24h' | '7d' | '30d' | '60d' | '90d', string | null>>
  readonly marketCap: string
  readonly dilutedCap: string
  readonly dominance: string
  readonly observedAt: EpochMicros
}

const spans = {
  '1h': HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '60d': 60 * DAY,
  '90d': 90 * DAY,
} as const
const significantDigits = 18

/**
 * Data change once a minute. Recorded answers of 16:04:03 carried quotes of 16:02:03: data are one to two minutes old, at the third
 * second of a minute.
 */
export const quoteTimeAt = (now: EpochMicros): EpochMicros =>
  addMs(periodStart('minute', now), -MINUTE + 3 * SECOND)

/** Prices as CoinMarketCap tells them: a new value each minute, the same for everybody until then. */
export class Market {
  readonly #prices: PriceSource
  #cache = new Map<string, CoinQuote | undefined>()
  #cachedAt = -1
  constructor(prices: PriceSource) {
    this.#prices = prices
  }

  /** `undefined` where the price source does not know the coin. */
  quote(coin: Coin, currency: ConvertCurrency, observedAt: EpochMicros): CoinQuote | undefined {
    if (this.#cachedAt !== observedAt) this.#cache = new Map()
    this.#cachedAt = observedAt
    const key = `${coin.id}|${currency.id}`
    if (!this.#cache.has(key)) this.#cache.set(key, this.#makeQuote(coin, currency, observedAt))
    return this.#cache.get(key)
  }

  /** Coins that can be quoted now. */
  listed(converts: readonly ConvertCurrency[], observedAt: EpochMicros): readonly Coin[] {
    const isPriced = (coin: Coin): boolean =>
      converts.every(currency => this.quote(coin, currency, observedAt) !== undefined)
    return coins.filter(coin => coin.active && isPriced(coin))
  }

  price(coin: Coin, currency: ConvertCurrency, at: EpochMicros): string | undefined {
    const { asset, decimals } = coin
    const extra = currency.symbol === 'BTC' ? 5 : 0
    const query = { asset, currency: currency.symbol, at, venue: 'coinmarketcap', decimals: decimals + extra }
    return this.#prices.priceAt({ ...query, style: 'number' })
  }

  #makeQuote(coin: Coin, currency: ConvertCurrency, observedAt: EpochMicros): CoinQuote | undefined {
    const price = this.price(coin, currency, observedAt)
    if (price === undefined) return undefined
    const hash = hashText(`${coin.id}/${observedAt}`)
    const dexVolume = times(price, `${coin.pairs}.${hash % 1_000}`)
    const cexVolume = times(price, `${coin.pairs * 37}.${hash % 97}5`)
    return {
      currency,
      price,
      cexVolume,
      dexVolume,
      volume: times(price, `${coin.pairs * 38}.${hash % 10_000}`),
      volumeChange: `${(hash % 4_000) - 2_000}e-2`.replace(/^(-?)(\d+)e-2$/, toHundredths),
      changes: this.#changes(coin, currency, observedAt, price),
      marketCap: times(price, coin.supply),
      dilutedCap: times(price, coin.maxSupply ?? coin.supply),
      dominance: coin.rank === 1 ? '57.1204' : `0.${String((hash % 9_000) + 1).padStart(4, '0')}`,
      observedAt,
    }
  }

  #changes(coin: Coin, currency: ConvertCurrency, at: EpochMicros, price: string): CoinQuote['changes'] {
    const now = parseFixed(price)
    const changes = Object.entries(spans).map(([name, spanMs]) => {
      const before = this.price(coin, currency, addMs(at, -spanMs))
      return [name, before === undefined ? null : percentChange(before, now)]
    })
    return Object.fromEntries(changes) as CoinQuote['changes']
  }
}

const toHundredths = (_: string, sign: string, digits: string): string => {
  const text = digits.padStart(3, '0')
  return `${sign}${text.slice(0, -2)}.${text.slice(-2)}`
}

const times = (a: string, b: string): string =>
  formatNumber(limitDigits(multiply(parseFixed(a), parseFixed(b)), significantDigits))

/** (now / before - 1) * 100 with 8 digits, cut. */
function percentChange(before: string, now: Fixed): string | null {
  const base = parseFixed(before)
  if (base.units === 0n) return null
  const ratio = divide(now, base, 10)
  return formatNumber({ units: ratio.units - 10n ** 10n, scale: 8 })
}
