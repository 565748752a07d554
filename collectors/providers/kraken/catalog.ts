import { Credits } from '../../../core/brands.ts'
import { objectOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { splitPair } from './assets.ts'
import { judge } from './judge.ts'

/** All pairs in one call. They can be filtered by their own names only, which nobody knows who looks for a ticker. */
export const catalog: Catalog = {
  costMax: Credits(0),
  request: () => ({ path: '/0/public/AssetPairs', query: {}, headers: { accept: 'application/json' } }),
  judge,
  read,
}

/** `result` by canonical name, which is the id that the ticker answers by. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const result = objectOf(objectOf(parseExact(body), '$').get('result'), '$.result')
  return result.entries().flatMap(([pair, value]) => entryOf(pair, value))
}

/** Kraken's own tickers, and those that people use. */
const tickers: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' }
const tickerOf = (name: string): string => (Object.hasOwn(tickers, name) ? (tickers[name] ?? name) : name)

const pairPattern = /^[A-Z0-9]{3,32}$/
/** `XBT/USD`: the names that people see, but for XBT and XDG. */
const visiblePattern = /^([A-Z0-9]{1,20})\/([A-Z0-9]{1,20})$/i

/** What has no visible name, or one that is not that of the pair (dark pools), is no proposal. */
function entryOf(pair: string, value: Json): CatalogEntry[] {
  const visible = value instanceof JsonObject ? value.get('wsname') : undefined
  const names = typeof visible === 'string' ? visiblePattern.exec(visible) : null
  const [base, quote] = [names?.[1], names?.[2]]
  if (!(value instanceof JsonObject) || !pairPattern.test(pair) || !base || !quote) return []
  const parts = splitPair(pair)
  const currency = tickerOf(quote)
  if (parts && parts.currency !== currency) return []
  const isActive = value.get('status') === 'online'
  return [{ sourceId: pair, symbol: tickerOf(base), name: base, currency, isActive }]
}
