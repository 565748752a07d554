import { Credits, ProviderId } from '../../../core/brands.ts'
import { DAY, SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, type Page } from '../../provider.ts'
import { assets, currencies, marketOf } from './assets.ts'
import { catalog } from './catalog.ts'
import { historyRequest, mapCandles, mostCandles } from './history.ts'
import { judgeCandles, judgeTicker } from './judge.ts'
import { mapTicker } from './map.ts'

/** One market a call: all of them at once are 80 KB of 277 rows, and the limits allow hundreds of calls a minute (NOTES.md). */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Last trade, volume and change of 24 hours of one market, in USD or EUR',
  pageSize: 1,
  refreshMs: 10 * SECOND,
  /** The table's 13 assets are 26 calls a minute, within the smallest limit that was ever told. */
  intervalMs: 30 * SECOND,
  costMax: () => Credits(0),
  // With any query parameter the call is rejected.
  request: ({ assets: [ref], currency }: Page) => ({
    path: `/api/v2/ticker/${encodeURIComponent(ref ? marketOf(ref, currency) : '')}/`,
    query: {},
    headers: { accept: 'application/json' },
  }),
  judge: judgeTicker,
  map: mapTicker,
}

const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Daily closes in USD or EUR, back to the listing of the market, 1,000 days a call',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: (mostCandles - 1) * DAY, reachMs: null, stepMs: DAY },
  costMax: () => Credits(0),
  request: historyRequest,
  judge: judgeCandles,
  map: mapCandles,
}

export const bitstamp = defineProvider({
  id: ProviderId('bitstamp'),
  title: 'Bitstamp',
  doc: 'Last trades of the Bitstamp exchange in USD and EUR, without a key',
  keyless: {
    baseUrl: 'https://www.bitstamp.net',
    // 600 calls in 10 minutes until 2021; 8,000, and now 10,000, since.
    limits: plan('keyless', null, null, 60),
    minTimeMs: 200,
  },
  datasets: [quotes, history],
  assets,
  currencies,
  catalog,
})
