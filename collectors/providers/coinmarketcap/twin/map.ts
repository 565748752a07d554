import { DAY, fromEpochMs, toEpochMs, toIso } from '../../../../core/time.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import type { Json } from '../../../../sandbox/json.ts'
import { coins } from './coins.ts'
import type { Coin } from './coins.ts'
import { countParameter, listParameter } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { BadRequest } from './errors.ts'
import { mapPlatform } from './shapes.ts'

/** Ids of coins: free. By `symbol` all coins of that name, inactive ones too, largest first; else a page of the wanted status. */
export const mapV1: Endpoint = {
  path: '/v1/cryptocurrency/map',
  variant: 'A',
  keyless: true,
  run({ query, at }) {
    const symbols = listParameter(query, 'symbol').map(symbol => symbol.toUpperCase())
    const statuses = query.has('listing_status') ? listParameter(query, 'listing_status') : ['active']
    if (statuses.some(status => !['active', 'inactive', 'untracked'].includes(status)))
      throw new BadRequest('Invalid value for "listing_status"')
    const start = countParameter(query, 'start', 1, 1_000_000)
    const limit = countParameter(query, 'limit', 10_000, 10_000)
    const wanted = (coin: Coin): boolean =>
      symbols.length > 0
        ? symbols.includes(coin.symbol)
        : statuses.includes(coin.active ? 'active' : 'inactive')
    const lastHour = toIso(fromEpochMs(toEpochMs(periodStart('minute', at)) - DAY / 24))
    const page = coins.filter(wanted).slice(start - 1, start - 1 + limit)
    return { data: page.map(coin => shape(coin, lastHour)), credits: 0, values: [] }
  },
}

/** Inactive coins have a null rank and no times of historical data. */
const shape = (coin: Coin, lastHour: string): Json => ({
  id: coin.id,
  name: coin.name,
  symbol: coin.symbol,
  slug: coin.slug,
  rank: coin.rank,
  is_active: coin.active ? 1 : 0,
  first_historical_data: coin.active ? (coin.added ?? '2013-04-28T18:47:21.000Z') : undefined,
  last_historical_data: coin.active ? lastHour : undefined,
  platform: mapPlatform(coin),
})
