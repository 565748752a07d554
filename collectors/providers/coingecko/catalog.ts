import { isCryptosError } from '../../../core/errors.ts'
import { refusePayload, textOf, wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { idPattern } from './assets.ts'
import { judge, perCall } from './judge.ts'

const maxText = 200

/** The whole list of active coins, without ranks; by symbol a search, with them. */
export const catalog: Catalog = {
  costMax: perCall,
  request: symbol =>
    symbol === undefined
      ? { path: '/coins/list', query: {}, headers: { accept: 'application/json' } }
      : { path: '/search', query: { query: symbol }, headers: { accept: 'application/json' } },
  judge,
  read,
}

/** `/coins/list` is a list, `/search` an object with `coins`; only active coins are in either. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const root = parseExact(body)
  const list = root instanceof JsonObject ? root.get('coins') : root
  if (!(list instanceof JsonArray)) return refusePayload('$', 'a list of coins', list)
  return list.items().flatMap(entryOf)
}

/** A row that can not be read is no proposal; the others stay. */
function entryOf(value: Json): CatalogEntry[] {
  if (!(value instanceof JsonObject)) return []
  const sourceId = value.get('id')
  if (typeof sourceId !== 'string' || !idPattern.test(sourceId)) return []
  const rank = wholeOf(value.get('market_cap_rank'))
  try {
    // Lists have symbols in lower case, searches in upper case.
    const symbol = textOf(value.get('symbol'), '$.symbol', maxText).toUpperCase()
    const name = textOf(value.get('name') ?? sourceId, '$.name', maxText)
    return [{ sourceId, symbol, name, ...(rank === undefined || rank === 0 ? {} : { rank }), isActive: true }]
  } catch (error) {
    if (isCryptosError(error)) return []
    throw error
  }
}
