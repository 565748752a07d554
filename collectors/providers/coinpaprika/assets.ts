import { assetTable } from '../../assets.ts'

/** CoinPaprika's ids: symbol and name at the time of listing. Never a symbol alone: several coins are called BTC. */
export const assets = assetTable({
  bitcoin: 'btc-bitcoin',
  ethereum: 'eth-ethereum',
  solana: 'sol-solana',
  xrp: 'xrp-xrp',
  cardano: 'ada-cardano',
  dogecoin: 'doge-dogecoin',
  litecoin: 'ltc-litecoin',
  chainlink: 'link-chainlink',
  polkadot: 'dot-polkadot',
  avalanche: 'avax-avalanche',
  'bitcoin-cash': 'bch-bitcoin-cash',
  stellar: 'xlm-stellar',
  uniswap: 'uni-uniswap',
  'pax-gold': 'paxg-pax-gold',
})

/** What an id is made of; one with other characters can not be named here. */
export const idPattern = /^[a-z0-9._-]{1,64}$/i

/** What `quotes` may ask for (official OpenAPI description, parameter `quotes`). */
export const currencies: readonly string[] = [
  ...['USD', 'EUR', 'BTC', 'ETH', 'PLN', 'KRW', 'GBP', 'CAD', 'JPY', 'RUB', 'TRY', 'NZD', 'AUD', 'CHF'],
  ...['UAH', 'HKD', 'SGD', 'NGN', 'PHP', 'MXN', 'BRL', 'THB', 'CLP', 'CNY', 'CZK', 'DKK', 'HUF', 'IDR'],
  ...['ILS', 'INR', 'MYR', 'NOK', 'PKR', 'SEK', 'TWD', 'ZAR', 'VND', 'BOB', 'COP', 'PEN', 'ARS', 'ISK'],
]
