import { AssetId } from '../../../../core/brands.ts'
import { hashText } from '../../../../sandbox/hash.ts'

/** A coin of the simulated catalog. Numbers are source text, so that odd digits reach the wire. */
export interface Coin {
  readonly id: number
  /** Asset that the price source is asked for. */
  readonly asset: AssetId
  readonly name: string
  readonly symbol: string
  readonly slug: string
  /** null = inactive. */
  readonly rank: number | null
  readonly active: boolean
  readonly decimals: number
  readonly supply: string
  readonly maxSupply: string | null
  readonly onEthereum: boolean
  readonly pairs: number
  readonly added: string | null
}

/** Our assets by CoinMarketCap's ids: [id, asset, name, symbol, fraction digits, circulating supply, max supply, on Ethereum]. */
const known: readonly (readonly [number, string, string, string, number, string, string | null, boolean])[] =
  [
    [1, 'bitcoin', 'Bitcoin', 'BTC', 8, '20051093', '21000000', false],
    [1027, 'ethereum', 'Ethereum', 'ETH', 14, '120704512.918273645', null, false],
    [52, 'xrp', 'XRP', 'XRP', 16, '60331634327', '100000000000', false],
    [5426, 'solana', 'Solana', 'SOL', 15, '553982614.0418272', null, false],
    [74, 'dogecoin', 'Dogecoin', 'DOGE', 17, '152716236383.70525', null, false],
    [2010, 'cardano', 'Cardano', 'ADA', 17, '36561032784.37217', '45000000000', false],
    [1975, 'chainlink', 'Chainlink', 'LINK', 15, '696849970.4525867', '1000000000', true],
    [1831, 'bitcoin-cash', 'Bitcoin Cash', 'BCH', 14, '19964331.25', '21000000', false],
    [512, 'stellar', 'Stellar', 'XLM', 17, '32318442070.75391', '50001806812', false],
    [5805, 'avalanche', 'Avalanche', 'AVAX', 15, '428316594.5518493', '715748719', false],
    [2, 'litecoin', 'Litecoin', 'LTC', 15, '76610273.86917031', '84000000', false],
    [6636, 'polkadot', 'Polkadot', 'DOT', 16, '1643806184.28', null, false],
    [7083, 'uniswap', 'Uniswap', 'UNI', 16, '630330528.39', '1000000000', true],
    [4705, 'pax-gold', 'PAX Gold', 'PAXG', 12, '436118.204771', null, true],
  ]

function knownCoin(row: (typeof known)[number], index: number): Coin {
  const [id, asset, name, symbol, decimals, supply, maxSupply, onEthereum] = row
  const added = id === 1 ? '2010-07-13T00:00:00.000Z' : '2017-09-26T00:00:00.000Z'
  const common = { id, asset: AssetId(asset), name, symbol, slug: asset, decimals, supply, maxSupply }
  return { ...common, onEthereum, rank: index + 1, active: true, pairs: 12_000 - index * 700, added }
}

function madeCoin(id: number, name: string, symbol: string, more: Partial<Coin> = {}): Coin {
  const slug = name.toLowerCase().replaceAll(' ', '-')
  const hash = hashText(slug)
  return {
    id,
    asset: AssetId(`coinmarketcap:${id}`),
    name,
    symbol,
    slug,
    rank: id - 90_000 + known.length,
    active: true,
    decimals: 12 + (hash % 6),
    supply: String(1_000_000 + hash),
    maxSupply: hash % 3 === 0 ? null : String(5_000_000_000 + hash),
    onEthereum: hash % 2 === 0,
    pairs: 3 + (hash % 400),
    added: hash % 7 === 0 ? null : '2024-02-29T00:00:00.000Z',
    ...more,
  }
}

/** Prices of 1e-12, supplies of 1e15 in both spellings, and the zero that means "unknown". */
const oddCoins: readonly Coin[] = [
  madeCoin(90_001, 'Sandbox Dust', 'SDUST', { decimals: 24, supply: '1000000000000000', maxSupply: '1e15' }),
  madeCoin(90_002, 'Sandbox Crumb', 'SCRUMB', { decimals: 18, supply: '4.2e14', maxSupply: null }),
  madeCoin(90_003, 'Sandbox Unknown Supply', 'SUNK', { supply: '0', maxSupply: null }),
]

const inactive = { active: false, rank: null }

/** With Bitcoin 13 coins of the ticker BTC, as the real map has: six of them live, the others inactive. A ticker is not an identity. */
const namesakes: readonly Coin[] = [
  madeCoin(91_001, 'Sandbox Bitcoin Two', 'BTC'),
  madeCoin(91_002, 'Sandbox Bitcoin Three', 'BTC'),
  madeCoin(91_003, 'Sandbox Bitcoin Four', 'BTC'),
  madeCoin(91_004, 'Sandbox Bitcoin Gone', 'BTC', inactive),
  madeCoin(91_005, 'Sandbox Bitcoin Lost', 'BTC', inactive),
  madeCoin(91_006, 'Sandbox Big Tin Can', 'BTC'),
  madeCoin(91_007, 'Sandbox Blue Tea Cup', 'BTC'),
  madeCoin(91_008, 'Sandbox Better Than Cash', 'BTC'),
  madeCoin(91_009, 'Sandbox Bathtub Coin', 'BTC', inactive),
  madeCoin(91_010, 'Sandbox Butter Token Classic', 'BTC', inactive),
  madeCoin(91_011, 'Sandbox Bent Coin', 'BTC', inactive),
  madeCoin(91_012, 'Sandbox Bitten Cookie', 'BTC', inactive),
]

const fillers: readonly Coin[] = Array.from({ length: 280 }, (_, index) =>
  madeCoin(92_001 + index, `Sandbox Coin ${index + 1}`, `SC${index + 1}`),
)

/** The whole catalog, by rank; inactive coins last. */
export const coins: readonly Coin[] = [...known.map(knownCoin), ...oddCoins, ...namesakes, ...fillers]
  .sort((a, b) => (a.rank ?? Number.POSITIVE_INFINITY) - (b.rank ?? Number.POSITIVE_INFINITY))
  .map((coin, index) => (coin.rank === null ? coin : { ...coin, rank: index + 1 }))

export const coinById: ReadonlyMap<number, Coin> = new Map(coins.map(coin => [coin.id, coin]))
