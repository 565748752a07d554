import { Credits, ProviderId } from '../../../core/brands.ts'
import { DAY, MINUTE, SECOND } from '../../../core/time.ts'
import { type Dataset, defineProvider, type HttpRequest, type Page } from '../../provider.ts'
import { assets, pairOf } from './assets.ts'
import { authorize } from './authorize.ts'
import { map as mapHistoryRows } from './history.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'
import { developer } from './plans.ts'
import { usage } from './usage.ts'

const accept = { accept: 'application/json' }

const tickers = (path: string, page: Page): HttpRequest => ({
  path,
  query: { crypto: page.assets.map(ref => ref.sourceId).join(','), fiat: page.currency },
  headers: accept,
})

/** One pair has an endpoint of its own, and needs no lists; a page of several has all of them in one request. */
function fullTicker(page: Page): HttpRequest {
  const [ref, ...more] = page.assets
  if (ref === undefined || more.length > 0) return tickers('/indices/global/ticker/all', page)
  const pair = encodeURIComponent(pairOf(ref, page.currency))
  return { path: `/indices/global/ticker/${pair}`, query: {}, headers: accept }
}

/** Each request counts one, whatever it asks for. */
const costMax = (): Credits => Credits(1)

/** With the market data below 45,000 requests a month: 22,320 and 8,928 in 31 days. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Last price of the global index of each pair',
  access: 'keyed',
  pageSize: 50,
  refreshMs: MINUTE,
  intervalMs: 2 * MINUTE,
  costMax,
  request: page => tickers('/indices/global/ticker/short', page),
  judge,
  map,
}

const ticker: Dataset = {
  id: 'ticker',
  kind: 'market',
  doc: 'Last price of the global index with 24-hour volume and change',
  access: 'keyed',
  pageSize: 50,
  refreshMs: MINUTE,
  intervalMs: 5 * MINUTE,
  costMax,
  request: fullTicker,
  judge,
  map,
}

/** One call gives every day there is; the range only says which of them are kept. */
const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Average price of each day since the beginning, one pair a call',
  access: 'keyed',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: 40 * 366 * DAY, reachMs: null, stepMs: DAY },
  costMax,
  request: ({ assets: [ref], currency }) => ({
    path: `/indices/global/history/${encodeURIComponent(ref ? pairOf(ref, currency) : '')}`,
    query: { period: 'alltime', format: 'json' },
    headers: accept,
  }),
  judge,
  map: mapHistoryRows,
}

export const bitcoinaverage = defineProvider({
  id: ProviderId('bitcoinaverage'),
  title: 'BitcoinAverage',
  doc: 'Volume-weighted price indices over many exchanges; closed to everyone without a plan since 2020',
  keyed: {
    baseUrl: 'https://apiv2.bitcoinaverage.com',
    authorize,
    retired: {
      since: '2020-01-13',
      reason:
        'BitcoinAverage serves nobody without a paid plan and has shown no sign of life since 2020: use Kraken, Coinbase or CoinGecko instead',
    },
    limits: developer,
    minTimeMs: SECOND,
  },
  plans: { developer },
  keyName: 'BITCOINAVERAGE_API_KEY',
  usage,
  datasets: [quotes, ticker, history],
  assets,
})
