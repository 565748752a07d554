import { arrayOf, refusePayload, rowOf, wholeOf } from '../../check.ts'
import { JsonNumber, JsonObject } from '../../json.ts'

/** CoinMarketCap's ids of currencies that recorded answers have: other assets may share the symbol. */
const currencyIds: Readonly<Record<string, number>> = { USD: 2781 }

/**
 * The quote in that currency of a coin, a point or the market: by name in a map (v1, v2) or by `symbol` in a list (v3 `quote`,
 * simple/price `quotes`), where one whose `id` is that of another asset does not count. undefined where there are quotes, but none in
 * it. @throws CryptosError CRY_PROVIDER_PAYLOAD, also for two quotes with different prices: nothing tells which of them is right
 */
export function quoteIn(owner: JsonObject, path: string, currency: string): JsonObject | undefined {
  const quotes = owner.get('quote') ?? owner.get('quotes')
  if (quotes instanceof JsonObject) {
    const quote = rowOf(quotes, `${path}.quote`).get(currency)
    return quote === undefined || quote === null ? undefined : rowOf(quote, `${path}.quote.${currency}`)
  }
  const [quote, ...others] = arrayOf(quotes, `${path}.quote`)
    .map((value, i) => rowOf(value, `${path}.quote[${i}]`))
    .filter(value => value.get('symbol') === currency && isOfCurrency(value, currency))
  if (quote && others.some(other => priceText(other) !== priceText(quote)))
    return refusePayload(`${path}.quote`, `one price in ${currency}`, quotes)
  return quote
}

/** A quote without an id, or in a currency whose id nobody has seen, is known by its symbol alone. */
function isOfCurrency(quote: JsonObject, currency: string): boolean {
  const [id, known] = [quote.get('id'), currencyIds[currency]]
  return id === undefined || known === undefined || wholeOf(id) === known
}

function priceText(quote: JsonObject): unknown {
  const price = quote.get('price')
  return price instanceof JsonNumber ? price.text : price
}
