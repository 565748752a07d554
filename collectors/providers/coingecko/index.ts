import { ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { defineProvider, keyHeader } from '../../provider.ts'
import { assets } from './assets.ts'
import { catalog } from './catalog.ts'
import { datasets } from './datasets.ts'

const baseUrl = 'https://api.coingecko.com/api/v3'
/** The newest page says 100 calls a minute, older ones 30: the smaller is the floor. */
const demo = plan('demo', 10_000, null, 30)
/** By address, shared with its other users, no number published [U]: 5 is the least that was seen; the month is Demo's, ours. */
const keyless = plan('keyless', 10_000, null, 5)

export const coingecko = defineProvider({
  id: ProviderId('coingecko'),
  title: 'CoinGecko',
  doc: 'Prices of thousands of coins, new every minute; a free Demo key or, scarcely, none; name the source, no commercial use',
  keyless: { baseUrl, limits: keyless, minTimeMs: 5 * SECOND },
  keyed: { baseUrl, authorize: keyHeader('x-cg-demo-api-key'), limits: demo, minTimeMs: 2 * SECOND },
  plans: { demo, 'demo-2026': plan('demo-2026', 10_000, null, 100) },
  keyName: 'COINGECKO_API_KEY',
  datasets,
  attribution: 'Data provided by CoinGecko (https://www.coingecko.com)',
  assets,
  catalog,
})
