import { arrayOf, changeOf, figureOf, priceOf, refusePayload, rowOf, textOf, timeOf } from '../../check.ts'
import { type JsonObject, parseExact } from '../../json.ts'
import type { Row } from '../../mapping.ts'
import { type Coin, coinFinder, mapCoins } from '../../mapping-list.ts'
import type { AssetRef, HttpRequest, Mapped, MappingContext, Page } from '../../provider.ts'
import { assets, idPattern } from './assets.ts'

/** Most rows of a page of `/coins/markets`. */
export const perPage = 250

export const requestMarkets = ({ assets: refs, currency, top }: Page): HttpRequest => ({
  path: '/coins/markets',
  query: {
    vs_currency: currency.toLowerCase(),
    ...(top === undefined ? { ids: refs.map(ref => ref.sourceId).join(',') } : {}),
    ...{
      order: 'market_cap_desc',
      per_page: String(top ?? Math.max(1, refs.length)),
      page: '1',
      precision: 'full',
    },
  },
  headers: { accept: 'application/json' },
})

/** A list of coins by market cap. The rows do not name the currency: it is that of the request. */
export function mapMarkets(body: Uint8Array, context: MappingContext): Mapped {
  const all = arrayOf(parseExact(body), '$')
  if (all.length === 0) return refusePayload('$', 'a list with coins', undefined)
  const find = coinFinder(context, assets)
  const listed = all.slice(0, context.page.top ?? all.length).map((value, i) => ({ value, path: `$[${i}]` }))
  return mapCoins(listed, context, {
    find: ({ coin, path }) =>
      find(idOf(coin, path), () => textOf(coin.get('symbol'), `${path}.symbol`).toUpperCase()),
    read: (coin, ref) => readCoin(coin, ref, context),
  })
}

function idOf(coin: JsonObject, path: string): string {
  const id = coin.get('id')
  return typeof id === 'string' && idPattern.test(id) ? id : refusePayload(`${path}.id`, "CoinGecko's id", id)
}

function readCoin({ coin, path }: Coin, ref: AssetRef, { page, receivedAt }: MappingContext): Row {
  rowOf(coin, path)
  const price = coin.get('current_price')
  if (price === null) return { ref, none: `no price in ${page.currency}` }
  const updated = coin.get('last_updated') ?? undefined
  return {
    ref,
    currency: page.currency,
    price: priceOf(price, `${path}.current_price`),
    marketCap: figureOf(coin.get('market_cap'), 'unknown'),
    volume24h: figureOf(coin.get('total_volume'), 'counts'),
    supply: figureOf(coin.get('circulating_supply'), 'unknown'),
    change24h: changeOf(coin.get('price_change_percentage_24h')),
    observedAt: updated === undefined ? undefined : timeOf(updated, `${path}.last_updated`, receivedAt),
  }
}
