import { hashText } from './hash.ts'

/** Round starting prices in USD of our own making; the walk moves around them. */
const anchors: Readonly<Record<string, string>> = {
  bitcoin: '84000',
  ethereum: '3100',
  solana: '152',
  xrp: '2.31',
  cardano: '0.72',
  dogecoin: '0.183',
  litecoin: '97.5',
  chainlink: '15.4',
  polkadot: '4.85',
  avalanche: '23.6',
  'bitcoin-cash': '505',
  stellar: '0.287',
  uniswap: '7.9',
  'pax-gold': '4200',
  'coinmarketcap:90001': '9.614444201187e-12',
  'coinmarketcap:90002': '0.000000412',
}

/** USD price of one unit of a currency. A crypto currency walks with its coin. */
const currencies: Readonly<Record<string, { key: string; usd: string }>> = {
  EUR: { key: 'currency:EUR', usd: '1.16' },
  GBP: { key: 'currency:GBP', usd: '1.33' },
  JPY: { key: 'currency:JPY', usd: '0.0066' },
  BTC: { key: 'bitcoin', usd: '84000' },
  ETH: { key: 'ethereum', usd: '3100' },
}

/** USD price that the walk of an asset starts from; made from its name where we have none. */
export function anchorOf(asset: string): string {
  const known = anchors[asset]
  if (known !== undefined) return known
  const hash = hashText(asset)
  return `${1 + (hash % 9)}.${hash % 1_000}e${((hash >>> 8) % 7) - 4}`
}

export const anchorOfCurrency = (currency: string): { key: string; usd: string } | undefined =>
  Object.hasOwn(currencies, currency) ? currencies[currency] : undefined
