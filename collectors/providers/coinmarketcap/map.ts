import { CryptosError } from '../../../core/errors.ts'
import {
  changeOf,
  figureOf,
  objectOf,
  priceOf,
  refusePayload,
  rowOf,
  textOf,
  timeOf,
  wholeOf,
} from '../../check.ts'
import { type Json, JsonArray, type JsonObject, parseExact } from '../../json.ts'
import type { Row } from '../../mapping.ts'
import { type Coin, coinFinder, type Listed, mapCoins } from '../../mapping-list.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { assets } from './assets.ts'
import { quoteIn } from './quote.ts'

/**
 * Quotes of any shape that the API has had: `data` as a list (v3, simple/price), as a map by id or slug (v1, v2) or by symbol with
 * a list each (v2); the quote as a map by currency (v1, v2) or as a list (v3 `quote`, simple/price `quotes`).
 */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const find = coinFinder(context, assets)
  return mapCoins(coinsOf(dataOf(body)), context, {
    find: ({ coin, path }) => find(idOf(coin, path), () => textOf(coin.get('symbol'), `${path}.symbol`)),
    read: (coin, ref) => readCoin(coin, ref, context),
  })
}

/** `data` of an answer whose status is good. @throws CryptosError CRY_PROVIDER_PAYLOAD */
export function dataOf(body: Uint8Array): Json | undefined {
  const root = rowOf(parseExact(body), '$')
  const code = wholeOf(rowOf(root.get('status'), '$.status').get('error_code'))
  if (code !== 0)
    throw new CryptosError('CRY_PROVIDER_PAYLOAD', '$.status.error_code: an error carries no data')
  return root.get('data')
}

/** Every coin of `data` with its path. */
export function coinsOf(data: Json | undefined): readonly Listed[] {
  if (data instanceof JsonArray) return data.items().map((value, i) => ({ value, path: `$.data[${i}]` }))
  return objectOf(data, '$.data')
    .members()
    .flatMap(([key, value]) => {
      const path = `$.data[${JSON.stringify(key.slice(0, 64))}]`
      if (!(value instanceof JsonArray)) return [{ value, path }]
      return value.items().map((item, i) => ({ value: item, path: `${path}[${i}]` }))
    })
}

function idOf(coin: JsonObject, path: string): string {
  const id = coin.get('id')
  return String(wholeOf(id) ?? refusePayload(`${path}.id`, "CoinMarketCap's id", id))
}

function readCoin({ coin, path }: Coin, ref: AssetRef, context: MappingContext): Row {
  const { currency } = context.page
  rowOf(coin, path)
  const quote = quoteIn(coin, path, currency)
  if (quote === undefined) return { ref, none: `no quote in ${currency}` }
  const price = quote.get('price')
  if (price === null) return { ref, none: `the price in ${currency} is null` }
  const updated = quote.get('last_updated')
  return {
    ref,
    currency,
    price: priceOf(price, `${path}.quote.${currency}.price`),
    marketCap: figureOf(quote.get('market_cap'), 'unknown'),
    volume24h: figureOf(quote.get('volume_24h'), 'counts'),
    supply: figureOf(coin.get('circulating_supply'), 'unknown'),
    change24h: changeOf(quote.get('percent_change_24h')),
    // The coin has a last_updated of its own, which is another clock: never use it.
    observedAt:
      updated === undefined
        ? undefined
        : timeOf(updated, `${path}.quote.${currency}.last_updated`, context.receivedAt),
  }
}
