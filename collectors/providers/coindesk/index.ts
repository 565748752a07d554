import { ProviderId } from '../../../core/brands.ts'
import { SECOND } from '../../../core/time.ts'
import { defineProvider, keyHeader } from '../../provider.ts'
import { assets } from './assets.ts'
import { datasets } from './datasets.ts'
import { bpiLimits, dataPlans } from './limits.ts'

/** Two dialects of one name: without a key the Bitcoin Price Index that CoinDesk closed, with one the Data API that came after it. */
export const coindesk = defineProvider({
  id: ProviderId('coindesk'),
  title: 'CoinDesk',
  doc: 'Bitcoin Price Index (closed in 2025) without a key; the CADLI index of the paid Data API with one',
  keyless: {
    baseUrl: 'https://api.coindesk.com',
    retired: {
      since: '2025-02-12',
      reason:
        'CoinDesk closed the free Bitcoin Price Index and its host has no address any more: use Kraken or Coinbase without a key, or the paid CoinDesk Data API with COINDESK_API_KEY',
    },
    limits: bpiLimits,
    minTimeMs: SECOND,
  },
  keyed: {
    baseUrl: 'https://data-api.coindesk.com',
    authorize: keyHeader('Authorization', 'Apikey '),
    limits: dataPlans['key-2026-01'],
    minTimeMs: SECOND,
  },
  plans: dataPlans,
  keyName: 'COINDESK_API_KEY',
  datasets,
  assets,
})
