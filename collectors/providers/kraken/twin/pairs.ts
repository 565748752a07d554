import { AssetId } from '../../../../core/brands.ts'

/** A market of Kraken: canonical name (the key of results), the other accepted name, and its digits. */
export interface KrakenPair {
  readonly name: string
  readonly altname: string
  readonly asset: AssetId
  readonly currency: 'USD' | 'EUR'
  /** Fraction digits of prices. */
  readonly decimals: number
}

const pair = (name: string, altname: string, asset: string, decimals: number): KrakenPair => ({
  name,
  altname,
  asset: AssetId(asset),
  currency: name.endsWith('EUR') ? 'EUR' : 'USD',
  decimals,
})

export const krakenPairs: readonly KrakenPair[] = [
  pair('XXBTZUSD', 'XBTUSD', 'bitcoin', 5),
  pair('XETHZUSD', 'ETHUSD', 'ethereum', 5),
  pair('SOLUSD', 'SOLUSD', 'solana', 4),
  pair('XXRPZUSD', 'XRPUSD', 'xrp', 8),
  pair('ADAUSD', 'ADAUSD', 'cardano', 8),
  pair('XDGUSD', 'DOGEUSD', 'dogecoin', 9),
  pair('XLTCZUSD', 'LTCUSD', 'litecoin', 5),
  pair('LINKUSD', 'LINKUSD', 'chainlink', 6),
  pair('DOTUSD', 'DOTUSD', 'polkadot', 6),
  pair('AVAXUSD', 'AVAXUSD', 'avalanche', 5),
  pair('BCHUSD', 'BCHUSD', 'bitcoin-cash', 5),
  pair('XXLMZUSD', 'XLMUSD', 'stellar', 8),
  pair('UNIUSD', 'UNIUSD', 'uniswap', 5),
  pair('PAXGUSD', 'PAXGUSD', 'pax-gold', 5),
  pair('XXBTZEUR', 'XBTEUR', 'bitcoin', 5),
  pair('XETHZEUR', 'ETHEUR', 'ethereum', 5),
  pair('SOLEUR', 'SOLEUR', 'solana', 4),
  pair('XXRPZEUR', 'XRPEUR', 'xrp', 8),
]

const byName = new Map(krakenPairs.flatMap(p => [[p.name, p] as const, [p.altname, p] as const]))

/** By either name. */
export const findKrakenPair = (text: string): KrakenPair | undefined => byName.get(text.toUpperCase())
