import { Credits, ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, type Page } from '../../provider.ts'
import { assets } from './assets.ts'
import { catalog } from './catalog.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'

/** One unknown pair fails the whole list, so only pairs of the table are asked. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Last trade and 24-hour volume of up to 100 pairs in one call',
  pageSize: 100,
  refreshMs: 10 * SECOND,
  intervalMs: 10 * SECOND,
  costMax: () => Credits(0),
  request: (page: Page) => ({
    path: '/0/public/Ticker',
    query: { pair: page.assets.map(ref => ref.sourceId).join(',') },
    headers: { accept: 'application/json' },
  }),
  judge,
  map,
}

export const kraken = defineProvider({
  id: ProviderId('kraken'),
  title: 'Kraken',
  doc: 'Last trades of the Kraken exchange, without a key',
  keyless: {
    baseUrl: 'https://api.kraken.com',
    // [V] counter max 15, decay 0.33 a second in the documents; 1 call a second was measured as fine. No credits.
    limits: plan('keyless', null, null, 60),
    minTimeMs: SECOND,
  },
  datasets: [quotes],
  assets,
  currencies: ['USD'],
  catalog,
})
