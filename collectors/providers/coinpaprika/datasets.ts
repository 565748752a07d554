import { DAY, HOUR, MINUTE } from '../../../core/time.ts'
import type { Dataset, HttpRequest, Page } from '../../provider.ts'
import { mapGlobal } from './global.ts'
import { mapHistoric, requestHistory } from './history.ts'
import { judge, perCall } from './judge.ts'
import { map } from './map.ts'

const headers = { accept: 'application/json' }

/**
 * A single coin by its own endpoint (under 1 kB), else all coins at once: there is no way to name several. One call either way, and
 * 20,000 calls a month are 14 coins every 31 minutes one by one, but all of them every 10 minutes in 4,464 calls. See NOTES.md for the bytes.
 */
function requestTickers({ assets, currency }: Page): HttpRequest {
  const [only, second] = assets
  const one = only && !second ? `/${encodeURIComponent(only.sourceId)}` : ''
  return { path: `/v1/tickers${one}`, query: { quotes: currency }, headers }
}

/** The most that the free plan lists. */
const listed = 2_000
const tickers = {
  ...{ pageSize: listed, refreshMs: 10 * MINUTE, costMax: () => perCall },
  ...{ request: requestTickers, judge, map },
}

const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Latest price, volume, market cap and 24-hour change; all named coins in one call',
  intervalMs: 10 * MINUTE,
  ...tickers,
}

const market: Dataset = {
  id: 'market',
  kind: 'market',
  doc: 'The same figures of the largest coins, up to the 2,000 that the free plan lists',
  intervalMs: HOUR,
  topMax: listed,
  ...tickers,
}

const global: Dataset = {
  id: 'global',
  kind: 'metrics',
  doc: 'Market cap, volume and number of all coins, share of Bitcoin; in USD',
  pageSize: 1,
  refreshMs: 10 * MINUTE,
  intervalMs: HOUR,
  costMax: () => perCall,
  request: () => ({ path: '/v1/global', query: {}, headers }),
  judge,
  map: mapGlobal,
}

const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Daily prices of the last year in USD or BTC, one coin a call',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: 364 * DAY, reachMs: 365 * DAY, stepMs: DAY },
  costMax: () => perCall,
  request: requestHistory,
  judge,
  map: mapHistoric,
}

export const datasets: readonly Dataset[] = [quotes, market, global, history]
