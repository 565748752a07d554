import { assets } from '../../../../core/assets.ts'
import type { AssetId } from '../../../../core/brands.ts'

/** A market of Coinbase Exchange. */
export interface CoinbaseProduct {
  readonly id: string
  readonly asset: AssetId
  readonly currency: string
  /** Fraction digits of prices. */
  readonly decimals: number
}

const decimals: Readonly<Record<string, number>> = {
  XRP: 4,
  ADA: 4,
  DOGE: 5,
  XLM: 6,
  LINK: 3,
  DOT: 3,
  UNI: 3,
}
const quotedIn: Readonly<Record<string, readonly string[]>> = {
  BTC: ['USD', 'EUR', 'GBP'],
  ETH: ['USD', 'EUR'],
}

/** Product ids are `<ticker>-<currency>`: within one exchange they are unique and stable. */
export const coinbaseProducts: ReadonlyMap<string, CoinbaseProduct> = new Map(
  assets.flatMap(({ id: asset, symbol }) =>
    (quotedIn[symbol] ?? ['USD']).map(currency => {
      const id = `${symbol}-${currency}`
      return [id, { id, asset, currency, decimals: decimals[symbol] ?? 2 }] as const
    }),
  ),
)
