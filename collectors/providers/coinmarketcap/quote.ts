import { arrayOf, objectOf } from '../../check.ts'
import { JsonObject } from '../../json.ts'

/**
 * The quote in that currency of a coin, a point or the market: by name in a map (v1, v2) or by `symbol` in a list (v3 `quote`,
 * simple/price `quotes`). undefined where there are quotes, but none in it. @throws CryptosError CRY_PROVIDER_PAYLOAD
 */
export function quoteIn(owner: JsonObject, path: string, currency: string): JsonObject | undefined {
  const quotes = owner.get('quote') ?? owner.get('quotes')
  if (quotes instanceof JsonObject) {
    const quote = quotes.get(currency)
    return quote === undefined || quote === null ? undefined : objectOf(quote, `${path}.quote.${currency}`)
  }
  return arrayOf(quotes, `${path}.quote`)
    .map((quote, i) => objectOf(quote, `${path}.quote[${i}]`))
    .find(quote => quote.get('symbol') === currency)
}
