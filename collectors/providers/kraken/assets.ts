import { assetTable } from '../../assets.ts'

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

/** Ends of pair names and the currency they stand for; the longer ones first. */
const ends: readonly (readonly [string, string])[] = [
  ...['USD', 'EUR', 'GBP', 'CAD', 'JPY', 'AUD'].map(code => [`Z${code}`, code] as const),
  ...['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'CAD', 'JPY', 'AUD', 'CHF'].map(code => [code, code] as const),
  ['XXBT', 'BTC'],
  ['XBT', 'BTC'],
  ['XETH', 'ETH'],
  ['ETH', 'ETH'],
]

/** `XXBTZEUR` → base `XXBT`, currency `EUR`. undefined where the end is none that we know. */
export function splitPair(pair: string): { readonly base: string; readonly currency: string } | undefined {
  // `XTZUSD` is XTZ in USD, not XT in ZUSD: the old names with a Z have a base of four letters that begins with X.
  const found = ends.find(
    ([end]) =>
      pair.length > end.length && pair.endsWith(end) && (!end.startsWith('Z') || /^X.{3}Z/.test(pair)),
  )
  return found && { base: pair.slice(0, -found[0].length), currency: found[1] }
}

const bases = new Map([...assets].map(([asset, pair]) => [splitPair(pair)?.base ?? pair, asset]))

/** Our asset behind a base name: `XXBT` → bitcoin. */
export const assetOfBase = (base: string) => bases.get(base)
