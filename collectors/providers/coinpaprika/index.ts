import { ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { plan } from '../../../quota/plans.ts'
import { defineProvider } from '../../provider.ts'
import { assets, currencies } from './assets.ts'
import { catalog } from './catalog.ts'
import { datasets } from './datasets.ts'

/** 20,000 calls a month [V]; 10 calls a second and address [2], of which this takes one. */
const free = plan('free', 20_000, null, 60)

export const coinpaprika = defineProvider({
  id: ProviderId('coinpaprika'),
  title: 'CoinPaprika',
  doc: 'Prices of the 2,000 largest coins without a key, new about every 10 minutes; for personal use',
  keyless: { baseUrl: 'https://api.coinpaprika.com', limits: free, minTimeMs: SECOND },
  datasets,
  assets,
  currencies,
  catalog,
})
