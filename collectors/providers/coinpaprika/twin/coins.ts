import { AssetId } from '../../../../core/brands.ts'

/** A coin of the simulated list. Numbers are source text, so that odd digits reach the wire. */
export interface Coin {
  readonly id: string
  /** Asset that the price source is asked for. */
  readonly asset: AssetId
  readonly name: string
  readonly symbol: string
  /** 0 = not ranked; such a coin has no ticker. */
  readonly rank: number
  readonly active: boolean
  /** Significant fraction digits of prices. */
  readonly decimals: number
  readonly supply: string
  /** 0 = unknown or without an end. */
  readonly maxSupply: string
}

/** [id, asset, name, fraction digits, supply, max supply] */
const known: readonly (readonly [string, string, string, number, string, string])[] = [
  ['btc-bitcoin', 'bitcoin', 'Bitcoin', 11, '20051093', '21000000'],
  ['eth-ethereum', 'ethereum', 'Ethereum', 12, '120704512', '0'],
  ['xrp-xrp', 'xrp', 'XRP', 16, '60331634327', '100000000000'],
  ['sol-solana', 'solana', 'Solana', 14, '553982614', '0'],
  ['doge-dogecoin', 'dogecoin', 'Dogecoin', 17, '152716236383', '0'],
  ['ada-cardano', 'cardano', 'Cardano', 17, '36561032784', '45000000000'],
  ['link-chainlink', 'chainlink', 'Chainlink', 15, '696849970', '1000000000'],
  ['bch-bitcoin-cash', 'bitcoin-cash', 'Bitcoin Cash', 13, '19964331', '21000000'],
  ['xlm-stellar', 'stellar', 'Stellar', 17, '32318442070', '50001806812'],
  ['avax-avalanche', 'avalanche', 'Avalanche', 14, '428316594', '715748719'],
  ['ltc-litecoin', 'litecoin', 'Litecoin', 14, '76610273', '84000000'],
  ['dot-polkadot', 'polkadot', 'Polkadot', 15, '1643806184', '0'],
  ['uni-uniswap', 'uniswap', 'Uniswap', 15, '630330528', '1000000000'],
  ['paxg-pax-gold', 'pax-gold', 'PAX Gold', 11, '436118', '0'],
]

const knownCoins: readonly Coin[] = known.map(([id, asset, name, decimals, supply, maxSupply], index) => ({
  ...{ id, asset: AssetId(asset), name, symbol: id.slice(0, id.indexOf('-')).toUpperCase() },
  ...{ rank: index + 1, active: true, decimals, supply, maxSupply },
}))

const made = (id: string, name: string, more: Partial<Coin> = {}): Coin => ({
  ...{ id, asset: AssetId(`coinpaprika:${id}`), name, symbol: id.slice(0, id.indexOf('-')).toUpperCase() },
  ...{ rank: 0, active: true, decimals: 12, supply: '1000000000', maxSupply: '0' },
  ...more,
})

/** Namesakes of Bitcoin that only the catalog has: too small for a ticker on the free plan, or gone. */
const namesakes: readonly Coin[] = [
  made('btc-blocktime-credit', 'Blocktime Credit'),
  made('btc-batcash-token', 'Batcash Token'),
  made('btc-bitty-cents', 'Bitty Cents', { active: false }),
]

/** Our coins, and behind them as many made-up ones as a test asks for; the first of these is called BTC. */
export function coinsOf(extraCoins: number): readonly Coin[] {
  const extra = Array.from({ length: extraCoins }, (_, index) => {
    const rank = knownCoins.length + index + 1
    if (index === 0) return made('btc-bridged-test-coin', 'Bridged Test Coin', { rank })
    return made(`x${index}-made-up-coin-${index}`, `Made-up Coin ${index}`, { rank })
  })
  return [...knownCoins, ...extra, ...namesakes]
}
