import type { Endpoint } from './endpoint.ts'
import { keyInfo } from './key-info.ts'
import { quotesV1, quotesV2, quotesV3 } from './quotes.ts'

/** All that is played, by path. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  [quotesV1, quotesV2, quotesV3, keyInfo].map(endpoint => [endpoint.path, endpoint]),
)

/** Real paths that the free plan may not call: 1006. */
export const paidPaths: ReadonlySet<string> = new Set([
  '/v2/cryptocurrency/ohlcv/historical',
  '/v2/cryptocurrency/ohlcv/latest',
  '/v2/cryptocurrency/market-pairs/latest',
  '/v1/exchange/market-pairs/latest',
])
