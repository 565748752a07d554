import { assetTable } from '../../assets.ts'

/** Product ids of Coinbase Exchange. */
export const assets = assetTable({
  bitcoin: 'BTC-USD',
  ethereum: 'ETH-USD',
  solana: 'SOL-USD',
  xrp: 'XRP-USD',
  cardano: 'ADA-USD',
  dogecoin: 'DOGE-USD',
  litecoin: 'LTC-USD',
  chainlink: 'LINK-USD',
  polkadot: 'DOT-USD',
  avalanche: 'AVAX-USD',
  'bitcoin-cash': 'BCH-USD',
  stellar: 'XLM-USD',
  uniswap: 'UNI-USD',
  'pax-gold': 'PAXG-USD',
})
