import { changeOf, figureOf, priceOf, refusePayload, rowOf, textOf, timeOf, wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonNumber, JsonObject, parseExact } from '../../json.ts'
import type { Row } from '../../mapping.ts'
import { type Coin, coinFinder, type Listed, mapCoins } from '../../mapping-list.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { assets, idPattern } from './assets.ts'

/**
 * `/v1/tickers` (a list of all coins, of which only the asked ones count) and `/v1/tickers/{id}` (one object). The currency is the
 * name of the member of `quotes`, so it is never guessed.
 */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const find = coinFinder(context, assets)
  return mapCoins(coinsOf(parseExact(body), context.page.top), context, {
    find: ({ coin, path }) => find(idOf(coin, path), () => textOf(coin.get('symbol'), `${path}.symbol`)),
    read: (coin, ref) => readCoin(coin, ref, context),
  })
}

function coinsOf(root: Json, top: number | undefined): readonly Listed[] {
  if (root instanceof JsonObject && top === undefined) return [{ value: root, path: '$' }]
  if (!(root instanceof JsonArray)) return refusePayload('$', 'a list of coins', root)
  const coins = root.items().map((value, i) => ({ value, path: `$[${i}]` }))
  if (coins.length === 0) return refusePayload('$', 'a list with coins', undefined)
  return top === undefined ? coins : largest(coins, top)
}

/** The first by rank; 0 means that a coin has none. */
function largest(coins: readonly Listed[], top: number): readonly Listed[] {
  return coins
    .map(coin => ({ coin, rank: rankOf(coin.value) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, top)
    .map(({ coin }) => coin)
}

const rankOf = (coin: Json): number => (coin instanceof JsonObject ? (wholeOf(coin.get('rank')) ?? 0) : 0)

function idOf(coin: JsonObject, path: string): string {
  const id = coin.get('id')
  return typeof id === 'string' && idPattern.test(id)
    ? id
    : refusePayload(`${path}.id`, "CoinPaprika's id", id)
}

function readCoin({ coin, path }: Coin, ref: AssetRef, { page, receivedAt }: MappingContext): Row {
  const quote = rowOf(rowOf(coin, path).get('quotes'), `${path}.quotes`).get(page.currency)
  if (quote === undefined || quote === null) return { ref, none: `no quote in ${page.currency}` }
  const quotePath = `${path}.quotes.${page.currency}`
  const figures = rowOf(quote, quotePath)
  const price = figures.get('price')
  if (isUnknown(price)) return { ref, none: `the price in ${page.currency} is unknown` }
  const updated = coin.get('last_updated') ?? undefined
  return {
    ref,
    currency: page.currency,
    price: priceOf(price, `${quotePath}.price`),
    marketCap: figureOf(figures.get('market_cap'), 'unknown'),
    volume24h: figureOf(figures.get('volume_24h'), 'counts'),
    // Only paid plans send it; total_supply is another figure.
    supply: figureOf(coin.get('circulating_supply'), 'unknown'),
    change24h: changeOf(figures.get('percent_change_24h')),
    observedAt: updated === undefined ? undefined : timeOf(updated, `${path}.last_updated`, receivedAt),
  }
}

/** null, or 0: figures that CoinPaprika does not know are 0. */
const isUnknown = (price: Json | undefined): boolean =>
  price === null || (price instanceof JsonNumber && /^0(\.0*)?$/.test(price.text))
