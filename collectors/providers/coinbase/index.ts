import { Credits, ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, type Page } from '../../provider.ts'
import { assets } from './assets.ts'
import { catalog } from './catalog.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'

/** One product a call: page n is asset n. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Last trade, its time and the 24-hour volume of one product',
  pageSize: 1,
  refreshMs: 10 * SECOND,
  /** One product a call: a sweep of six is six calls, so half as often as a source that answers all at once. */
  intervalMs: 20 * SECOND,
  costMax: () => Credits(0),
  request: (page: Page) => ({
    path: `/products/${encodeURIComponent(page.assets[0]?.sourceId ?? '')}/ticker`,
    query: {},
    headers: { accept: 'application/json' },
  }),
  judge,
  map,
}

export const coinbase = defineProvider({
  id: ProviderId('coinbase'),
  title: 'Coinbase Exchange',
  doc: 'Last trades of the Coinbase exchange, without a key',
  keyless: {
    baseUrl: 'https://api.exchange.coinbase.com',
    // The table's 14 assets every 20 s are 42 calls a minute.
    // [V] 10 calls a second and address, burst 15. No credits.
    limits: plan('keyless', null, null, 600),
    minTimeMs: 150,
  },
  datasets: [quotes],
  assets,
  currencies: ['USD'],
  catalog,
})
