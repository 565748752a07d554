import { isCryptosError } from '../core/errors.ts'
import { refusePayload, textOf, wholeOf } from './check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from './json.ts'
import type { CatalogEntry } from './provider.ts'

const maxText = 200

/** How a provider's list of coins is written. */
export interface CoinList {
  /** Member of an object that holds the coins, where the answer is no list itself. */
  readonly member: string
  readonly idPattern: RegExp
  /** Member with the rank by market cap; 0 and null = not ranked. */
  readonly rank: string
  symbolOf(symbol: string): string
  isActive(coin: JsonObject): boolean
}

/** The coins of a list; a row that can not be read is no proposal, and the others stay. @throws CryptosError CRY_PROVIDER_PAYLOAD for no list */
export function readCoinList(body: Uint8Array, list: CoinList): readonly CatalogEntry[] {
  const root = parseExact(body)
  const coins = root instanceof JsonObject ? root.get(list.member) : root
  if (!(coins instanceof JsonArray)) return refusePayload('$', 'a list of coins', coins)
  return coins.items().flatMap(value => entryOf(value, list))
}

function entryOf(value: Json, { idPattern, rank: rankName, symbolOf, isActive }: CoinList): CatalogEntry[] {
  if (!(value instanceof JsonObject)) return []
  const sourceId = value.get('id')
  if (typeof sourceId !== 'string' || !idPattern.test(sourceId)) return []
  const rank = wholeOf(value.get(rankName))
  try {
    const symbol = symbolOf(textOf(value.get('symbol'), '$.symbol', maxText))
    const name = textOf(value.get('name') ?? sourceId, '$.name', maxText)
    const ranked = rank === undefined || rank === 0 ? {} : { rank }
    return [{ sourceId, symbol, name, ...ranked, isActive: isActive(value) }]
  } catch (error) {
    if (isCryptosError(error)) return []
    throw error
  }
}
