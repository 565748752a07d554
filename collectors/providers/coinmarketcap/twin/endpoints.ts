import type { Endpoint } from './endpoint.ts'
import { globalV1 } from './global.ts'
import { historicalV3 } from './historical.ts'
import { keyInfo } from './key-info.ts'
import { listingsV3 } from './listings.ts'
import { mapV1 } from './map.ts'
import { quotesV1, quotesV2, quotesV3 } from './quotes.ts'
import { simplePriceV2 } from './simple-price.ts'

/** All that is played, by path. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  [quotesV1, quotesV2, quotesV3, listingsV3, simplePriceV2, mapV1, keyInfo, historicalV3, globalV1].map(
    endpoint => [endpoint.path, endpoint],
  ),
)

/** Real paths that the free plan may not call: 1006. */
export const paidPaths: ReadonlySet<string> = new Set([
  '/v2/cryptocurrency/ohlcv/historical',
  '/v2/cryptocurrency/ohlcv/latest',
  '/v2/cryptocurrency/market-pairs/latest',
  '/v1/exchange/market-pairs/latest',
])
