import { assetTable } from '../../assets.ts'
import type { AssetRef } from '../../provider.ts'

/** Codes of Bitstamp's currencies, as its pairs are written (`BTC/USD`): with the currency of the page they name a market. */
export const assets = assetTable({
  bitcoin: 'BTC',
  ethereum: 'ETH',
  solana: 'SOL',
  xrp: 'XRP',
  cardano: 'ADA',
  dogecoin: 'DOGE',
  litecoin: 'LTC',
  chainlink: 'LINK',
  polkadot: 'DOT',
  avalanche: 'AVAX',
  'bitcoin-cash': 'BCH',
  stellar: 'XLM',
  uniswap: 'UNI',
})

/** Those that a page may ask for; Bitstamp has more (GBP, USDT, USDC, BTC …), but not for most assets. */
export const currencies = ['USD', 'EUR'] as const

/** `BTC` in `EUR` → `btceur`, as paths have it. */
export const marketOf = ({ sourceId }: Pick<AssetRef, 'sourceId'>, currency: string): string =>
  `${sourceId}${currency}`.toLowerCase()

/** `BTC/EUR`, as bodies have it. */
export const pairOf = ({ sourceId }: Pick<AssetRef, 'sourceId'>, currency: string): string =>
  `${sourceId}/${currency}`
