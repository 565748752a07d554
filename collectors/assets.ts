import { createHash } from 'node:crypto'
import { AssetId } from '../core/brands.ts'
import { assetById } from '../core/assets.ts'
import { CryptosError } from '../core/errors.ts'
import type { Currency } from '../core/records.ts'
import type { AssetRef, Dataset, Page, Provider } from './provider.ts'

/** The asset as this provider knows it. @throws CryptosError CRY_CONFIG_INVALID where it does not */
export function assetRef(provider: Provider, asset: AssetId): AssetRef {
  const known = provider.assets.get(asset)
  const own = asset.startsWith(`${provider.id}:`) ? asset.slice(provider.id.length + 1) : undefined
  const sourceId = known ?? own
  if (sourceId === undefined)
    throw new CryptosError('CRY_CONFIG_INVALID', `${provider.title} has no asset named ${asset}`)
  return { asset, symbol: assetById(asset)?.symbol ?? sourceId, sourceId }
}

/** All assets of the table that the provider has, in the table's order. */
export const knownAssetRefs = (provider: Provider): readonly AssetRef[] =>
  [...provider.assets.keys()].map(asset => assetRef(provider, asset))

/**
 * Pages of at most `pageSize` assets that the dataset has, in the given order: page 3 asks the same assets each time. Figures of the
 * whole market are one page without assets.
 */
export function pagesOf(dataset: Dataset, refs: readonly AssetRef[], currency: Currency): readonly Page[] {
  if (dataset.kind === 'metrics') return [{ assets: [], currency }]
  const own = refs.filter(ref => dataset.assets?.has(ref.asset) ?? true)
  const pages: Page[] = []
  for (let from = 0; from < own.length; from += dataset.pageSize)
    pages.push({ assets: own.slice(from, from + dataset.pageSize), currency })
  return pages
}

/** Names what a page asks for, as part of its slot. */
export function pageName(page: Page): string {
  const { range, top } = page
  const asked = [
    `${page.currency}|${page.assets.map(a => a.sourceId).join(',')}`,
    ...(range ? [`|${range.from}-${range.to}`] : []),
    ...(top === undefined ? [] : [`|top ${top}`]),
  ].join('')
  return createHash('sha256').update(asked).digest('hex').slice(0, 8)
}

/** A table of our asset names and a provider's ids. */
export const assetTable = (ids: Readonly<Record<string, string>>): ReadonlyMap<AssetId, string> =>
  new Map(Object.entries(ids).map(([asset, sourceId]) => [AssetId(asset), sourceId]))

/**
 * Finds what a row of an answer is about: the asked assets, else (nothing asked: a saved body) our table, else a name made of the
 * provider's own id. undefined = somebody asked, but not for this.
 */
export function refFinder(
  page: Page,
  ids: ReadonlyMap<AssetId, string>,
): (sourceId: string) => AssetRef | undefined {
  const asked = new Map(page.assets.map(ref => [ref.sourceId, ref]))
  if (asked.size > 0) return sourceId => asked.get(sourceId)
  const table = new Map([...ids].map(([asset, sourceId]) => [sourceId, asset]))
  const named = new Map(page.names?.map(ref => [ref.sourceId, ref]))
  return sourceId => {
    const own = named.get(sourceId)
    if (own) return own
    const asset = table.get(sourceId)
    return asset && { asset, symbol: assetById(asset)?.symbol ?? sourceId, sourceId }
  }
}
