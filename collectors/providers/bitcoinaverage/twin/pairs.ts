import { AssetId } from '../../../../core/brands.ts'

export interface Coin {
  readonly base: string
  readonly asset: AssetId
  /** Most fraction digits of its prices. */
  readonly decimals: number
}

export interface Pair {
  readonly name: string
  readonly coin: Coin
  readonly fiat: string
}

const coin = (base: string, asset: string, decimals: number): Coin => ({
  base,
  asset: AssetId(asset),
  decimals,
})

const coins: readonly Coin[] = [
  coin('BTC', 'bitcoin', 2),
  coin('ETH', 'ethereum', 2),
  coin('LTC', 'litecoin', 2),
  coin('BCH', 'bitcoin-cash', 2),
  coin('XRP', 'xrp', 6),
]
const fiats = ['USD', 'EUR', 'GBP', 'JPY']

const pairs: readonly Pair[] = coins.flatMap(c =>
  fiats.map(fiat => ({ name: `${c.base}${fiat}`, coin: c, fiat })),
)

export const findPair = (name: string): Pair | undefined => pairs.find(pair => pair.name === name)

/** By the lists of a query, in the twin's own order; a name that nobody knows is left out without a word. */
export function selectPairs(crypto: string | null, fiat: string | null): readonly Pair[] {
  const [bases, wanted] = [crypto?.split(','), fiat?.split(',')]
  return pairs.filter(p => (bases?.includes(p.coin.base) ?? true) && (wanted?.includes(p.fiat) ?? true))
}
