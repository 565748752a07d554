import { Credits } from '../../../core/brands.ts'
import { arrayOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { judgeCatalog } from './judge.ts'

/** All products in one call; the API has no filter. */
export const catalog: Catalog = {
  costMax: Credits(0),
  request: () => ({ path: '/products', query: {}, headers: { accept: 'application/json' } }),
  judge: judgeCatalog,
  read: body => arrayOf(parseExact(body), '$').flatMap(entryOf),
}

/** A row whose names do not fit together is no proposal. */
function entryOf(value: Json): CatalogEntry[] {
  if (!(value instanceof JsonObject)) return []
  const [id, base, quote] = ['id', 'base_currency', 'quote_currency'].map(name => value.get(name))
  const isName = (text: Json | undefined): text is string =>
    typeof text === 'string' && /^[A-Z0-9]{1,20}$/.test(text)
  if (!isName(base) || !isName(quote) || id !== `${base}-${quote}`) return []
  const isActive = value.get('status') === 'online' && value.get('trading_disabled') !== true
  return [{ sourceId: `${base}-${quote}`, symbol: base, name: base, currency: quote, isActive }]
}
