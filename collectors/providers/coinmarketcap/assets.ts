import { assetTable } from '../../assets.ts'

/** CoinMarketCap's ids (`/v1/cryptocurrency/map`): stable, while a symbol may stand for a dozen coins. */
export const assets = assetTable({
  bitcoin: '1',
  ethereum: '1027',
  solana: '5426',
  xrp: '52',
  cardano: '2010',
  dogecoin: '74',
  litecoin: '2',
  chainlink: '1975',
  polkadot: '6636',
  avalanche: '5805',
  'bitcoin-cash': '1831',
  stellar: '512',
  uniswap: '7083',
  'pax-gold': '4705',
})
