import { assets } from '../../core/assets.ts'
import type { AssetId } from '../../core/brands.ts'
import type { CatalogEntry, Provider } from '../../collectors/provider.ts'
import type { OwnAsset } from './own-assets.ts'

/** An entry of a provider's list, and the asset of ours that it is already. */
export interface Candidate extends CatalogEntry {
  readonly provider: string
  readonly knownAs: AssetId | null
}

/** The asset table: ids by provider, those of the code and those that were added. */
export function idsOf(provider: Provider, own: readonly OwnAsset[]): ReadonlyMap<AssetId, string> {
  const added = own.flatMap(({ id, ids }): [AssetId, string][] => {
    const sourceId = ids[provider.id]
    return sourceId === undefined ? [] : [[id, sourceId]]
  })
  return new Map([...provider.assets, ...added])
}

/** What a provider lists under a symbol (or all), active and large ones first, with what the table makes of it. */
export function candidatesOf(
  provider: Provider,
  entries: readonly CatalogEntry[],
  own: readonly OwnAsset[],
): readonly Candidate[] {
  const known = new Map([...idsOf(provider, own)].map(([asset, sourceId]) => [sourceId, asset]))
  return entries
    .map(entry => ({ ...entry, provider: provider.id, knownAs: known.get(entry.sourceId) ?? null }))
    .toSorted(
      (a, b) =>
        Number(b.isActive) - Number(a.isActive) ||
        (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER) ||
        a.sourceId.localeCompare(b.sourceId),
    )
}

/** The one candidate that can be meant in this currency; undefined where there is none, the list where it is not clear. */
export function onlyOne(
  candidates: readonly Candidate[],
  currency: string,
): Candidate | readonly Candidate[] | undefined {
  const fit = candidates.filter(c => c.isActive && (c.currency === undefined || c.currency === currency))
  return fit.length > 1 ? fit : fit[0]
}

/** The largest by the provider's rank that the table does not have: new listings. */
export const newListings = (candidates: readonly Candidate[], top: number): readonly Candidate[] =>
  candidates.filter(c => c.isActive && c.rank !== undefined && c.rank <= top && c.knownAs === null)

/** What is wrong with a provider's ids of the table, one sentence each. */
export function faultsOf(
  provider: Provider,
  entries: readonly CatalogEntry[],
  own: readonly OwnAsset[],
): readonly string[] {
  const listed = new Map(entries.map(entry => [entry.sourceId, entry]))
  const symbols = new Map([...assets, ...own].map(asset => [asset.id, asset.symbol]))
  return [...idsOf(provider, own)].flatMap(([asset, sourceId]) => {
    const entry = listed.get(sourceId)
    const what = `${asset} is ${sourceId} at ${provider.title}`
    if (!entry) return [`${what}, which is not in its list any more`]
    if (!entry.isActive) return [`${what}, which is not active any more`]
    const symbol = symbols.get(asset) ?? entry.symbol
    return entry.symbol.toLowerCase() === symbol.toLowerCase()
      ? []
      : [`${what}, which is called ${entry.symbol} there and ${symbol} here`]
  })
}
