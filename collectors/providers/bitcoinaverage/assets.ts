import { AssetId } from '../../../core/brands.ts'
import { assetById } from '../../../core/assets.ts'
import { assetTable, refFinder } from '../../assets.ts'
import type { AssetRef, Page } from '../../provider.ts'

/** Base symbols of the global indices: the pair `BTCUSD` is `BTC` in `USD`. */
export const assets = assetTable({
  bitcoin: 'BTC',
  ethereum: 'ETH',
  litecoin: 'LTC',
  xrp: 'XRP',
  'bitcoin-cash': 'BCH',
})

const basePattern = /^[A-Z0-9]{2,10}$/

/** Name of a pair, as it is the key of an answer and the end of a path. */
export const pairOf = (ref: Pick<AssetRef, 'sourceId'>, currency: string): string =>
  `${ref.sourceId}${currency}`

/** Finds what a base symbol is about: an asked asset; where nothing was asked ours of that symbol, else one made of it. */
export function baseFinder(page: Page): (base: string) => AssetRef | undefined {
  const known = refFinder(page, assets)
  return base => known(base) ?? (page.assets.length > 0 ? undefined : madeUp(base))
}

function madeUp(base: string): AssetRef | undefined {
  if (!basePattern.test(base)) return undefined
  const asset = AssetId(`bitcoinaverage:${base}`)
  return { asset, symbol: assetById(asset)?.symbol ?? base, sourceId: base }
}
