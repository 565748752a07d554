import { assetTable } from '../../assets.ts'

/** Spot pairs against Tether: Binance has no market in dollars. */
export const assets = assetTable({
  bitcoin: 'BTCUSDT',
  ethereum: 'ETHUSDT',
  solana: 'SOLUSDT',
  xrp: 'XRPUSDT',
  cardano: 'ADAUSDT',
  dogecoin: 'DOGEUSDT',
  litecoin: 'LTCUSDT',
  chainlink: 'LINKUSDT',
  polkadot: 'DOTUSDT',
  avalanche: 'AVAXUSDT',
  'bitcoin-cash': 'BCHUSDT',
  stellar: 'XLMUSDT',
  uniswap: 'UNIUSDT',
  'pax-gold': 'PAXGUSDT',
})

/** Ends of pair names that stand for one currency only; a pair does not say where its base ends. Longer ones first. */
const ends = [
  'FDUSD',
  'USDT',
  'USDC',
  'TUSD',
  'BUSD',
  'EUR',
  'TRY',
  'BRL',
  'JPY',
  'BTC',
  'ETH',
  'BNB',
] as const

/** `BTCFDUSD` → base `BTC`, currency `FDUSD`. undefined where the end is none that we know. */
export function splitPair(pair: string): { readonly base: string; readonly currency: string } | undefined {
  const end = ends.find(e => pair.length > e.length && pair.endsWith(e))
  return end && { base: pair.slice(0, -end.length), currency: end }
}
