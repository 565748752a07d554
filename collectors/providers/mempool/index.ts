import { Credits, ProviderId } from '../../../core/brands.ts'
import { DAY, MINUTE, SECOND, toEpochMs } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, type Page } from '../../provider.ts'
import { assets, currencies } from './assets.ts'
import { judge } from './judge.ts'
import { map, mapHistorical } from './map.ts'

const headers = { accept: 'application/json' }

/** All currencies come in each answer; one is taken. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Price of bitcoin in whole units: median of up to five exchanges',
  pageSize: 1,
  refreshMs: MINUTE,
  intervalMs: 2 * MINUTE,
  costMax: () => Credits(0),
  request: () => ({ path: '/api/v1/prices', query: {}, headers }),
  judge,
  map,
}

/** The last second of the range is asked for: of a day the price of 23:00, or none where the server has a week's only. */
function requestHistorical({ currency, range }: Page) {
  const last = range ? { timestamp: String(Math.ceil(toEpochMs(range.to) / SECOND) - 1) } : {}
  return { path: '/api/v1/historical-price', query: { currency, ...last }, headers }
}

const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Last price of bitcoin in a day, one day a call: hourly for the time the server ran, weekly before',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: DAY, reachMs: null, stepMs: DAY },
  costMax: () => Credits(0),
  request: requestHistorical,
  judge,
  map: mapHistorical,
}

export const mempool = defineProvider({
  id: ProviderId('mempool'),
  title: 'mempool.space',
  doc: 'Price of bitcoin that the block explorer shows, without a key',
  keyless: {
    baseUrl: 'https://mempool.space',
    // The limit is not published; 10 a minute is a twentieth of what its own sample configuration allows.
    limits: plan('keyless', null, null, 10),
    minTimeMs: 2 * SECOND,
  },
  datasets: [quotes, history],
  assets,
  currencies,
})
