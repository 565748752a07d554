import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import type { Page } from '../../provider.ts'
import { providerContract } from '../../provider.contract.ts'
import { twinContract } from '../../twin.contract.ts'
import { coindesk } from './index.ts'

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')
const bitcoin = knownAssetRefs(coindesk).slice(0, 1)
const pageOf = (currency: string, from?: string, to?: string): Page => ({
  ...{ assets: bitcoin, currency },
  ...(from && to ? { range: { from: parseIso(from), to: parseIso(to) } } : {}),
})

providerContract({
  provider: coindesk,
  body: fixture('bpi-currentprice.json'),
  prices: { BTC: '81240.1267' },
  times: { BTC: '2026-10-05T08:31:00Z' },
  isCrossChecked: true,
})

providerContract({
  provider: coindesk,
  dataset: 'history',
  page: pageOf('USD', '2026-09-28T00:00:00Z', '2026-10-02T00:00:00Z'),
  body: fixture('bpi-close-2026-10.json'),
  prices: {
    'BTC@2026-09-28T23:59:59.999999Z': '79101.25',
    'BTC@2026-09-29T23:59:59.999999Z': '80002.1042',
    'BTC@2026-09-30T23:59:59.999999Z': '80417.93',
    'BTC@2026-10-01T23:59:59.999999Z': '81555.6061',
  },
})

providerContract({
  provider: coindesk,
  dataset: 'tick',
  body: fixture('tick-2026-10.json'),
  prices: { BTC: '81240.1267518203', DOGE: '0.10021734511806' },
  times: { BTC: '2026-10-05T08:31:12.417Z', DOGE: '2026-10-05T08:31:11.096Z' },
})

providerContract({
  provider: coindesk,
  dataset: 'tick-history',
  page: pageOf('USD', '2026-09-29T00:00:00Z', '2026-10-02T00:00:00Z'),
  body: fixture('days-2026-10.json'),
  prices: {
    'BTC@2026-09-29T23:59:59.999999Z': '80002.10418877',
    'BTC@2026-09-30T23:59:59.999999Z': '80417.9350112',
    'BTC@2026-10-01T23:59:59.999999Z': '81555.6060907',
  },
  isCrossChecked: true,
})

twinContract({ provider: coindesk, assets: ['bitcoin'], sweeps: 40 })
twinContract({ provider: coindesk, currency: 'EUR', assets: ['bitcoin'], sweeps: 5 })
twinContract({ provider: coindesk, dataset: 'history', assets: ['bitcoin'] })
twinContract({ provider: coindesk, dataset: 'tick', sweeps: 40 })
twinContract({ provider: coindesk, dataset: 'tick-history', assets: ['bitcoin', 'dogecoin'] })
