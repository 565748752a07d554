import { assetById } from '../core/assets.ts'
import type { Currency } from '../core/records.ts'
import { assetRef, pagesOf } from '../collectors/assets.ts'
import { datasetsOf, isBilled } from '../collectors/poll-types.ts'
import type { AssetRef, Dataset, Page, Provider } from '../collectors/provider.ts'
import type { OwnAsset } from './assets/own-assets.ts'
import { idsOf } from './assets/proposals.ts'
import type { Config } from './config/load.ts'
import type { Route } from './routes.ts'

/** A route, or its provider where the source does not matter. */
type Asked = Pick<Route, 'provider'> & { readonly poll?: Pick<Route['poll'], 'origin'> }

/** What this installation added by the lists of the same source. */
const ownAssetsFor = ({ poll }: Asked, { ownAssets }: Config): readonly OwnAsset[] =>
  poll === undefined
    ? ownAssets
    : ownAssets.filter(({ source }) => (source === 'sandbox') === (poll.origin === 'sandbox'))

/** The wanted assets that the dataset has, by the provider's own ids. */
export function wantedAssets(route: Asked, dataset: Dataset, config: Config): readonly AssetRef[] {
  const { provider } = route
  const ids = idsOf(provider, ownAssetsFor(route, config))
  const wanted = config.assetIds.filter(asset => dataset.assets?.has(asset) ?? true)
  return wanted.flatMap(asset => {
    if (asset.startsWith(`${provider.id}:`)) return [assetRef(provider, asset)]
    const sourceId = ids.get(asset)
    return sourceId === undefined ? [] : [{ asset, symbol: assetById(asset)?.symbol ?? sourceId, sourceId }]
  })
}

/** The wanted currency, or the one that the provider has in its place; undefined = neither. */
export function currencyFor(provider: Provider, wanted: Currency): Currency | undefined {
  const { currencies, standIn } = provider
  if (!currencies || currencies.includes(wanted)) return wanted
  const instead = standIn?.[wanted]
  return instead !== undefined && currencies.includes(instead) ? instead : undefined
}

/** What one sweep of a dataset asks for, or why nothing. */
export function pagesFor(
  route: Asked,
  dataset: Dataset,
  config: Config,
): readonly Page[] | { readonly none: string } {
  const { provider } = route
  const currency = currencyFor(provider, config.currency)
  if (currency === undefined) {
    const has = provider.currencies?.join(', ') ?? ''
    return { none: `${provider.title} gives prices in ${has} only, not in ${config.currency}` }
  }
  if (dataset.topMax !== undefined && config.topAssets > 0)
    return [
      {
        assets: [],
        currency,
        top: Math.min(config.topAssets, dataset.topMax),
        ...namesFor(route, config),
      },
    ]
  const pages = pagesOf(dataset, wantedAssets(route, dataset, config), currency)
  return pages.length > 0 ? pages : { none: `${provider.title} has none of the wanted assets` }
}

/** What this installation calls assets that a list may hold. */
function namesFor(route: Asked, config: Config): Pick<Page, 'names'> {
  const names = ownAssetsFor(route, config).flatMap(({ id, symbol, ids }) => {
    const sourceId = ids[route.provider.id]
    return sourceId === undefined ? [] : [{ asset: id, symbol, sourceId }]
  })
  return names.length === 0 ? {} : { names }
}

/** The datasets of a route that are collected by themselves: those that the setting names by kind or by name; never a history. */
export const datasetsFor = ({ poll }: Pick<Route, 'poll'>, config: Config): readonly Dataset[] =>
  datasetsOf(poll).filter(
    ({ kind, id }) =>
      kind !== 'history' &&
      (config.datasets.includes(kind) || config.datasets.includes(`${poll.provider.id}/${id}`)),
  )

/** Credits of one round over every collected dataset of the route: they share one quota, so each is paced by all of them. */
export function costPerRound(route: Route, config: Config): number {
  if (!isBilled(route.poll)) return 0
  return datasetsFor(route, config)
    .flatMap(dataset => {
      const pages = pagesFor(route, dataset, config)
      return 'none' in pages ? [] : pages.map(page => Number(dataset.costMax(page)))
    })
    .reduce((sum, cost) => sum + cost, 0)
}
