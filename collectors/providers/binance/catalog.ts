import { Credits } from '../../../core/brands.ts'
import { arrayOf, objectOf, textOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { judgeCatalog } from './judge.ts'

/** All spot pairs in one answer of some MB (weight 20); of a symbol only its pair against Tether. */
export const catalog: Catalog = {
  costMax: Credits(0),
  request: symbol => ({
    path: '/api/v3/exchangeInfo',
    query: {
      ...(symbol === undefined ? { permissions: 'SPOT' } : { symbol: `${symbol.toUpperCase()}USDT` }),
      // The lists of permissions are most of the answer, and nobody reads them.
      showPermissionSets: 'false',
    },
    headers: { accept: 'application/json' },
  }),
  judge: judgeCatalog,
  read,
}

/** `{"symbols":[{"symbol","status","baseAsset","quoteAsset",…}]}`; `{"code":-1121,…}` where there is no such pair. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const root = objectOf(parseExact(body), '$')
  const code = root.get('code')
  if (code !== undefined && root.get('symbols') === undefined) return []
  return arrayOf(root.get('symbols'), '$.symbols').flatMap(entryOf)
}

/** A row whose names can not be asked for is no proposal. */
function entryOf(value: Json): CatalogEntry[] {
  if (!(value instanceof JsonObject)) return []
  const [pair, base, quote] = ['symbol', 'baseAsset', 'quoteAsset'].map(name => value.get(name))
  const isName = (text: Json | undefined): text is string =>
    typeof text === 'string' && /^[A-Z0-9]{1,40}$/.test(text)
  if (!isName(pair) || !isName(base) || !isName(quote) || pair !== base + quote) return []
  const isActive = value.get('status') === 'TRADING'
  return [{ sourceId: pair, symbol: textOf(base, '$'), name: base, currency: quote, isActive }]
}
