import { assetTable } from '../../assets.ts'

/** CoinGecko's API ids; a word, not a symbol, and not always the word that one expects (`ripple`, `avalanche-2`). */
export const assets = assetTable({
  bitcoin: 'bitcoin',
  ethereum: 'ethereum',
  solana: 'solana',
  xrp: 'ripple',
  cardano: 'cardano',
  dogecoin: 'dogecoin',
  litecoin: 'litecoin',
  chainlink: 'chainlink',
  polkadot: 'polkadot',
  avalanche: 'avalanche-2',
  'bitcoin-cash': 'bitcoin-cash',
  stellar: 'stellar',
  uniswap: 'uniswap',
  'pax-gold': 'pax-gold',
})

/** What an id is made of; one with other characters can not be named here. */
export const idPattern = /^[a-z0-9._-]{1,64}$/i
