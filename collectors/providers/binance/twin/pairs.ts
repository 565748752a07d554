import { assets } from '../../../../core/assets.ts'
import type { AssetId } from '../../../../core/brands.ts'

/** A spot market: all of the sandbox's assets against Tether, and two against bitcoin. */
export interface BinancePair {
  readonly symbol: string
  readonly asset: AssetId
  readonly base: string
  readonly quote: 'USDT' | 'BTC'
  /** Fraction digits of a price that mean something; eight are sent. */
  readonly tickDigits: number
  readonly status: 'TRADING' | 'BREAK'
}

const tickDigits: Readonly<Record<string, number>> = {
  XRP: 4,
  ADA: 4,
  DOGE: 5,
  XLM: 4,
  LINK: 3,
  DOT: 3,
  UNI: 3,
}

const own = assets.map(
  ({ id: asset, symbol: base }): BinancePair => ({
    ...{ symbol: `${base}USDT`, asset, base, quote: 'USDT', status: 'TRADING' },
    tickDigits: tickDigits[base] ?? 2,
  }),
)
const inBitcoin = own
  .filter(pair => pair.base === 'ETH' || pair.base === 'LTC')
  .map(pair => ({ ...pair, symbol: `${pair.base}BTC`, quote: 'BTC', tickDigits: 6 }) as const)

export const binancePairs: ReadonlyMap<string, BinancePair> = new Map(
  [...own, ...inBitcoin].map(pair => [pair.symbol, pair]),
)
