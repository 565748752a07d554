import { AssetId } from './brands.ts'

export interface Asset {
  readonly id: AssetId
  /** For display; two assets may share one. */
  readonly symbol: string
  readonly name: string
}

const asset = (id: string, symbol: string, name: string): Asset => ({ id: AssetId(id), symbol, name })

/** The assets known by a name of ours. Each provider folder maps them to that provider's stable ids. */
export const assets: readonly Asset[] = [
  asset('bitcoin', 'BTC', 'Bitcoin'),
  asset('ethereum', 'ETH', 'Ethereum'),
  asset('solana', 'SOL', 'Solana'),
  asset('xrp', 'XRP', 'XRP'),
  asset('cardano', 'ADA', 'Cardano'),
  asset('dogecoin', 'DOGE', 'Dogecoin'),
  asset('litecoin', 'LTC', 'Litecoin'),
  asset('chainlink', 'LINK', 'Chainlink'),
  asset('polkadot', 'DOT', 'Polkadot'),
  asset('avalanche', 'AVAX', 'Avalanche'),
  asset('bitcoin-cash', 'BCH', 'Bitcoin Cash'),
  asset('stellar', 'XLM', 'Stellar'),
  asset('uniswap', 'UNI', 'Uniswap'),
  asset('pax-gold', 'PAXG', 'PAX Gold'),
]

const byId = new Map(assets.map(a => [a.id, a]))

/** Assets that this installation added, for display and for names on the command line; ids of the table can not be changed. */
export function addAssets(added: readonly Asset[]): void {
  for (const { id, symbol, name } of added) if (!byId.has(id)) byId.set(id, { id, symbol, name })
}

export const assetById = (id: AssetId): Asset | undefined => byId.get(id)

/** By id, else by a symbol that only one asset of the table has; any letter case. */
export function findAsset(text: string): Asset | undefined {
  const meant = assetsNamed(text)
  return meant.length === 1 ? meant[0] : undefined
}

/** Every asset that may be meant: the one with this id, else all with this symbol. */
export function assetsNamed(text: string): readonly Asset[] {
  const wanted = text.trim().toLowerCase()
  const exact = byId.get(wanted as AssetId)
  return exact ? [exact] : [...byId.values()].filter(a => a.symbol.toLowerCase() === wanted)
}
