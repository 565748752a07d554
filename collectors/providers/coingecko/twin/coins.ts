import { AssetId } from '../../../../core/brands.ts'

/** A coin of the simulated list. Numbers are source text, so that odd digits reach the wire. */
export interface Coin {
  readonly id: string
  /** Asset that the price source is asked for. */
  readonly asset: AssetId
  readonly name: string
  /** Lower case, as CoinGecko writes it. */
  readonly symbol: string
  /** null = not ranked. */
  readonly rank: number | null
  /** Fraction digits of prices. */
  readonly decimals: number
  readonly supply: string
  readonly maxSupply: string | null
}

/** [id, asset, symbol, name, fraction digits, supply, max supply] */
const known: readonly (readonly [string, string, string, string, number, string, string | null])[] = [
  ['bitcoin', 'bitcoin', 'btc', 'Bitcoin', 11, '20051093.0', '21000000.0'],
  ['ethereum', 'ethereum', 'eth', 'Ethereum', 13, '120704512.9182736', null],
  ['ripple', 'xrp', 'xrp', 'XRP', 16, '60331634327.0', '100000000000.0'],
  ['solana', 'solana', 'sol', 'Solana', 14, '553982614.0418272', null],
  ['dogecoin', 'dogecoin', 'doge', 'Dogecoin', 17, '152716236383.7', null],
  ['cardano', 'cardano', 'ada', 'Cardano', 17, '36561032784.37217', '45000000000.0'],
  ['chainlink', 'chainlink', 'link', 'Chainlink', 15, '696849970.4525867', '1000000000.0'],
  ['bitcoin-cash', 'bitcoin-cash', 'bch', 'Bitcoin Cash', 13, '19964331.25', '21000000.0'],
  ['stellar', 'stellar', 'xlm', 'Stellar', 17, '32318442070.75391', '50001806812.0'],
  ['avalanche-2', 'avalanche', 'avax', 'Avalanche', 14, '428316594.5518493', '715748719.0'],
  ['litecoin', 'litecoin', 'ltc', 'Litecoin', 14, '76610273.86917031', '84000000.0'],
  ['polkadot', 'polkadot', 'dot', 'Polkadot', 15, '1643806184.28', null],
  ['uniswap', 'uniswap', 'uni', 'Uniswap', 15, '630330528.39', '1000000000.0'],
  ['pax-gold', 'pax-gold', 'paxg', 'PAX Gold', 11, '436118.204771', null],
]

const knownCoins: readonly Coin[] = known.map(
  ([id, asset, symbol, name, decimals, supply, maxSupply], i) => ({
    ...{ id, asset: AssetId(asset), symbol, name, rank: i + 1, decimals, supply, maxSupply },
  }),
)

const made = (id: string, symbol: string, name: string, rank: number | null): Coin => ({
  ...{ id, asset: AssetId(`coingecko:${id}`), symbol, name, rank, decimals: 12 },
  ...{ supply: '1000000000.0', maxSupply: null },
})

/** A coin whose id looks like the member of an error, namesakes of Bitcoin, and as many made-up ones as a test asks for. */
export function coinsOf(extraCoins: number): readonly Coin[] {
  const first = knownCoins.length + 1
  const extra = Array.from({ length: extraCoins }, (_, i) =>
    made(`made-up-coin-${i}`, `x${i}`, `Made-up Coin ${i}`, first + 2 + i),
  )
  return [
    ...knownCoins,
    made('status', 'snt', 'Status', first),
    made('bridged-test-bitcoin', 'btc', 'Bridged Test Bitcoin', first + 1),
    ...extra,
    made('blocktime-credit', 'btc', 'Blocktime Credit', null),
    made('bitty-cents', 'btc', 'Bitty Cents', null),
  ]
}
