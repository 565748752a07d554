import { Credits, ProviderId } from '../../../core/brands.ts'
import { DAY, SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, type Page } from '../../provider.ts'
import { assets } from './assets.ts'
import { catalog } from './catalog.ts'
import { historyRequest, mapCandles, mostCandles } from './history.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'

/** Up to 20 pairs weigh 2, less than `ticker/price` for any list (4), and bring time, volume and change; 21 would weigh 40. */
const pairsPerPage = 20

/** One unknown pair fails the whole list, so only pairs of the table are asked. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Last price in USDT, volume and change of 24 hours of up to 20 pairs in one call',
  pageSize: pairsPerPage,
  refreshMs: 10 * SECOND,
  intervalMs: 30 * SECOND,
  costMax: () => Credits(0),
  request: (page: Page) => ({
    path: '/api/v3/ticker/24hr',
    query: { symbols: JSON.stringify(page.assets.map(ref => ref.sourceId)) },
    headers: { accept: 'application/json' },
  }),
  judge,
  map,
}

const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Daily closes in USDT, back to the listing of the pair, 1,000 days a call',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: (mostCandles - 1) * DAY, reachMs: null, stepMs: DAY },
  costMax: () => Credits(0),
  request: historyRequest,
  judge,
  map: mapCandles,
}

export const binance = defineProvider({
  id: ProviderId('binance'),
  title: 'Binance',
  doc: 'Last trades of the Binance exchange in USDT, without a key; not served in every country',
  keyless: {
    baseUrl: 'https://data-api.binance.vision',
    // 6,000 of weight a minute: 300 calls of the heaviest that we make (exchangeInfo, 20).
    limits: plan('keyless', null, null, 300),
    minTimeMs: 200,
  },
  datasets: [quotes, history],
  assets,
  currencies: ['USDT'],
  standIn: { USD: 'USDT' },
  catalog,
})
