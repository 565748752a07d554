import { assetTable } from '../../assets.ts'
import type { AssetRef } from '../../provider.ts'

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

const currencies = [
  ...['USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD'],
  ...['EUR', 'TRY', 'BRL', 'JPY', 'BTC', 'ETH', 'BNB'],
] as const

interface Parts {
  readonly base: string
  readonly currency: string
}

const pairs: ReadonlyMap<string, Parts> = new Map(
  [...assets.values()]
    .map(pair => pair.replace(/USDT$/, ''))
    .flatMap(base => currencies.map(currency => [base + currency, { base, currency }] as const)),
)

/**
 * `BTCFDUSD` → base `BTC`, currency `FDUSD`. undefined where it is not a base of the table and a currency that we know, and nothing
 * else: where the base ends is not said, and `BTCAEUR` is BTC in AEUR, not BTCA in EUR.
 */
export const splitPair = (pair: string): Parts | undefined => pairs.get(pair)

/** The currency of a pair: of one whose base we know, or whose base is the symbol that the installation has told. */
export function currencyOf({ sourceId, symbol }: Pick<AssetRef, 'sourceId' | 'symbol'>): string | undefined {
  return splitPair(sourceId)?.currency ?? currencies.find(code => sourceId === symbol.toUpperCase() + code)
}
