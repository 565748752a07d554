import { Credits } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import { arrayOf, objectOf, refusePayload, textOf, wholeOf } from '../../check.ts'
import type { Json } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { judge } from './judge.ts'
import { dataOf } from './map.ts'

/** Most coins of one answer; the largest come first. */
const most = 5_000

/** `/v1/cryptocurrency/map`: all coins of a symbol, the inactive ones too, or the largest. Free by the SDK; a body of 2019 shows 1. */
export const catalog: Catalog = {
  costMax: Credits(1),
  request: symbol => ({
    path: '/v1/cryptocurrency/map',
    query:
      symbol === undefined ? { limit: String(most), sort: 'cmc_rank' } : { symbol: symbol.toUpperCase() },
    headers: { accept: 'application/json' },
  }),
  judge: answer => judge(answer),
  read,
}

/** One bad row spoils no other. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const rows = arrayOf(dataOf(body), '$.data')
  const entries: CatalogEntry[] = []
  let first: unknown
  for (const [index, row] of rows.entries())
    try {
      entries.push(readEntry(row, `$.data[${index}]`))
    } catch (error) {
      if (!isCryptosError(error)) throw error
      first ??= error
    }
  if (entries.length === 0 && first) throw first
  return entries
}

/** Inactive coins have no rank. */
function readEntry(row: Json, path: string): CatalogEntry {
  const coin = objectOf(row, path)
  const id = wholeOf(coin.get('id')) ?? refusePayload(`${path}.id`, "CoinMarketCap's id", coin.get('id'))
  const rank = wholeOf(coin.get('rank'))
  return {
    sourceId: String(id),
    symbol: textOf(coin.get('symbol'), `${path}.symbol`),
    name: textOf(coin.get('name'), `${path}.name`, 128),
    ...(rank === undefined || rank === 0 ? {} : { rank }),
    isActive: wholeOf(coin.get('is_active')) === 1,
  }
}
