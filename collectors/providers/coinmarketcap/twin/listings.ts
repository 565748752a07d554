import { BadRequest } from './errors.ts'
import { convertsOf, costOf, countParameter } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { quoteTimeAt } from './market.ts'
import { quoteCoin, valuesOf } from './quotes.ts'
import { coinV3 } from './shapes.ts'

/** The listed coins by rank, a page at a time: one credit per 200. Other orders than the default are refused rather than ignored. */
export const listingsV3: Endpoint = {
  path: '/v3/cryptocurrency/listings/latest',
  variant: 'B',
  keyless: true,
  run(context) {
    const { query, market, at } = context
    const converts = convertsOf(query)
    const start = countParameter(query, 'start', 1, 1_000_000)
    const limit = countParameter(query, 'limit', 100, 5_000)
    if ((query.get('sort') ?? 'market_cap') !== 'market_cap')
      throw new BadRequest('Invalid value for "sort": the sandbox lists by market_cap only')
    const listed = market.listed(converts, quoteTimeAt(at))
    const page = listed.slice(start - 1, start - 1 + limit)
    const quoted = page.map(coin => quoteCoin(context, coin, converts)).filter(q => q !== undefined)
    return {
      data: quoted.map(({ coin, quotes }) => coinV3(coin, quotes, at)),
      credits: costOf(quoted.length, 200, converts.length),
      values: valuesOf(quoted),
    }
  },
}
