import { isCryptosError } from '../../../core/errors.ts'
import { refusePayload, textOf, wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { idPattern } from './assets.ts'
import { judge, perCall } from './judge.ts'

const maxText = 200

/** All coins in one list of several MB; by symbol a search, whose answer is small. */
export const catalog: Catalog = {
  costMax: perCall,
  request: symbol =>
    symbol === undefined
      ? { path: '/v1/coins', query: {}, headers: { accept: 'application/json' } }
      : {
          path: '/v1/search',
          query: { q: symbol, c: 'currencies', modifier: 'symbol_search', limit: '250' },
          headers: { accept: 'application/json' },
        },
  judge: answer => judge(answer, {}),
  read,
}

/** `/v1/coins` is a list, `/v1/search` an object with `currencies`. A row without an id or a symbol is no proposal. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const root = parseExact(body)
  const list = root instanceof JsonObject ? root.get('currencies') : root
  if (!(list instanceof JsonArray)) return refusePayload('$', 'a list of coins', list)
  return list.items().flatMap(entryOf)
}

/** A row that can not be read is no proposal; the others stay. */
function entryOf(value: Json): CatalogEntry[] {
  if (!(value instanceof JsonObject)) return []
  const sourceId = value.get('id')
  if (typeof sourceId !== 'string' || !idPattern.test(sourceId)) return []
  const rank = wholeOf(value.get('rank'))
  try {
    const symbol = textOf(value.get('symbol'), '$.symbol', maxText)
    const name = textOf(value.get('name') ?? sourceId, '$.name', maxText)
    // 0 = not ranked.
    const ranked = rank === undefined || rank === 0 ? {} : { rank }
    return [{ sourceId, symbol, name, ...ranked, isActive: value.get('is_active') === true }]
  } catch (error) {
    if (isCryptosError(error)) return []
    throw error
  }
}
