import { Credits, ProviderId } from '../../../core/brands.ts'
import { MINUTE, SECOND } from '../../../core/time.ts'
import { plans } from '../../../quota/plans.ts'
import { type Dataset, defineProvider, keyHeader, type Page } from '../../provider.ts'
import { assets } from './assets.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'
import { usage } from './usage.ts'

/** Coins of one call that cost one credit: https://pro.coinmarketcap.com/api/documentation, quotes/latest v3. */
const coinsPerCredit = 100

/** The cheapest call that also gives market cap, volume, supply and change; one `convert` only, a second costs a credit more. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Latest price, market cap, volume, supply and 24-hour change of up to 100 coins for one credit',
  pageSize: coinsPerCredit,
  refreshMs: MINUTE,
  intervalMs: MINUTE,
  costMax: (page: Page) => Credits(Math.max(1, Math.ceil(page.assets.length / coinsPerCredit))),
  request: (page: Page) => ({
    path: '/v3/cryptocurrency/quotes/latest',
    query: { id: page.assets.map(ref => ref.sourceId).join(','), convert: page.currency },
    headers: { accept: 'application/json' },
  }),
  judge,
  map,
}

export const coinmarketcap = defineProvider({
  id: ProviderId('coinmarketcap'),
  title: 'CoinMarketCap',
  doc: 'Volume-weighted prices of thousands of coins, refreshed every 60 s; Pro with a key, fewer endpoints without',
  keyless: {
    baseUrl: 'https://pro-api.coinmarketcap.com/public-api',
    limits: plans['coinmarketcap/keyless'],
    minTimeMs: 2 * SECOND,
  },
  keyed: {
    baseUrl: 'https://pro-api.coinmarketcap.com',
    authorize: keyHeader('X-CMC_PRO_API_KEY'),
    // The smallest free plan there has been, until key/info has told the real one.
    limits: plans['coinmarketcap/basic-2021'],
    minTimeMs: SECOND,
  },
  plans: {
    'basic-2026': plans['coinmarketcap/basic-2026'],
    'basic-2021': plans['coinmarketcap/basic-2021'],
    'basic-2018': plans['coinmarketcap/basic-2018'],
  },
  keyName: 'COINMARKETCAP_API_KEY',
  usage,
  datasets: [quotes],
  assets,
})
