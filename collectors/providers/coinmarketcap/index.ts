import { ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { defineProvider, keyHeader } from '../../provider.ts'
import { assets } from './assets.ts'
import { catalog } from './catalog.ts'
import { datasets } from './datasets.ts'
import { keyFloor, keylessFloor, keyPlans } from './plans.ts'
import { usage } from './usage.ts'

export const coinmarketcap = defineProvider({
  id: ProviderId('coinmarketcap'),
  title: 'CoinMarketCap',
  doc: 'Volume-weighted prices of thousands of coins, refreshed every 60 s; Pro with a key, fewer endpoints without',
  keyless: {
    baseUrl: 'https://pro-api.coinmarketcap.com/public-api',
    limits: keylessFloor,
    minTimeMs: 2 * SECOND,
  },
  keyed: {
    baseUrl: 'https://pro-api.coinmarketcap.com',
    authorize: keyHeader('X-CMC_PRO_API_KEY'),
    limits: keyFloor,
    minTimeMs: SECOND,
  },
  keyName: 'COINMARKETCAP_API_KEY',
  plans: keyPlans,
  usage,
  datasets,
  assets,
  catalog,
})
