import type { AssetId } from '../../../core/brands.ts'
import { assetTable } from '../../assets.ts'
import type { AssetRef } from '../../provider.ts'

/** Canonical pair names, as the keys of `result` have them: a pair asked by another name comes back under this one. */
export const assets = assetTable({
  bitcoin: 'XXBTZUSD',
  ethereum: 'XETHZUSD',
  solana: 'SOLUSD',
  xrp: 'XXRPZUSD',
  cardano: 'ADAUSD',
  dogecoin: 'XDGUSD',
  litecoin: 'XLTCZUSD',
  chainlink: 'LINKUSD',
  polkadot: 'DOTUSD',
  avalanche: 'AVAXUSD',
  'bitcoin-cash': 'BCHUSD',
  stellar: 'XXLMZUSD',
  uniswap: 'UNIUSD',
  'pax-gold': 'PAXGUSD',
})

/** Currencies as the ends of pair names have them, of the old names (`XXBTZUSD`) and of all others (`SOLUSD`). */
const oldEnds: ReadonlyMap<string, string> = new Map([
  ...['USD', 'EUR', 'GBP', 'CAD', 'JPY', 'AUD'].map(code => [`Z${code}`, code] as const),
  ['XXBT', 'BTC'],
  ['XETH', 'ETH'],
])
const ends: ReadonlyMap<string, string> = new Map([
  ...['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'CAD', 'JPY', 'AUD', 'CHF'].map(code => [code, code] as const),
  ['XBT', 'BTC'],
  ['ETH', 'ETH'],
])

/** Old names have a base of an X and three letters, and an end of their own. */
const isOld = (base: string): boolean => /^X[A-Z]{3}$/.test(base)

/** The base of a pair of the table, all of which are in dollars; of an old name also the one that newer pairs have (`XBTUSDT`). */
function basesOf(pair: string): readonly string[] {
  const base = pair.replace(/Z?USD$/, '')
  return isOld(base) ? [base, base.slice(1)] : [base]
}

export interface KrakenPair {
  readonly base: string
  readonly currency: string
  readonly asset: AssetId
}

const pairs: ReadonlyMap<string, KrakenPair> = new Map(
  [...assets].flatMap(([asset, pair]) =>
    basesOf(pair).flatMap(base =>
      [...(isOld(base) ? oldEnds : ends)].map(
        ([end, currency]) => [base + end, { base, currency, asset }] as const,
      ),
    ),
  ),
)

/**
 * `XXBTZEUR` → base `XXBT`, currency `EUR`. undefined where it is not a base of the table and a currency that we know, and nothing
 * else: where the base ends is not said, and `XRPRLUSD` is XRP in RLUSD, not XRPRL in USD.
 */
export const splitPair = (pair: string): KrakenPair | undefined => pairs.get(pair)

/** The currency of a pair: of one whose base we know, or whose base is the symbol that the installation has told. */
export function currencyOf({ sourceId, symbol }: Pick<AssetRef, 'sourceId' | 'symbol'>): string | undefined {
  const known = splitPair(sourceId)
  if (known) return known.currency
  const base = symbol.toUpperCase()
  const endAfter = (name: string): string => (sourceId.startsWith(name) ? sourceId.slice(name.length) : '')
  return ends.get(endAfter(base)) ?? (isOld(`X${base}`) ? oldEnds.get(endAfter(`X${base}`)) : undefined)
}
