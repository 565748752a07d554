import type { EpochMicros } from '../../core/brands.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { MarketFilter, MarketReader, MarketRecordOf } from '../../core/ports/reader.ts'
import { viewConsensus, viewFlag, viewGap, viewMetric, viewSpot } from './market-views.ts'
import { type Params, readAsset, readCurrency, readLimit, readProvider, readRange } from './params.ts'
import { toIsoMicros } from './times.ts'

export interface MarketPorts {
  readonly market: MarketReader
  readonly clock: Clock
}

interface MarketRoute {
  readonly takes: readonly string[]
  readonly answer: (params: Params, ports: MarketPorts) => Promise<object>
}

const byAsset = ['asset', 'currency']
const events = ['provider', 'asset', 'currency', 'from', 'to', 'limit']

/** What is known beside the providers' prices: what they agree on, which of them serves, figures, and what is wrong with them. */
export const marketRoutes: Readonly<Record<string, MarketRoute>> = {
  '/api/v1/consensus': {
    takes: byAsset,
    answer: latest('consensus', (records, now) => ({ consensus: records.map(c => viewConsensus(c, now)) })),
  },
  '/api/v1/spot': {
    takes: byAsset,
    answer: latest('serving', (records, now) => ({ spot: records.map(s => viewSpot(s, now)) })),
  },
  '/api/v1/metrics': {
    takes: ['provider', 'currency'],
    answer: latest('metric', (records, now) => ({ metrics: records.map(m => viewMetric(m, now)) })),
  },
  '/api/v1/gaps': { takes: events, answer: between('gap', records => ({ gaps: records.map(viewGap) })) },
  '/api/v1/flags': {
    takes: events,
    answer: between('source-flag', records => ({ flags: records.map(viewFlag) })),
  },
  // The newest of each provider, asset, currency and doubt, however old: what a row of the page needs.
  '/api/v1/flags/latest': {
    takes: ['provider', 'asset', 'currency'],
    answer: latest('source-flag', records => ({ flags: records.map(viewFlag) })),
  },
}

function filterOf(params: Params): MarketFilter {
  const [provider, asset, currency] = [readProvider(params), readAsset(params), readCurrency(params)]
  return { ...(provider && { provider }), ...(asset && { asset }), ...(currency && { currency }) }
}

/** The newest record of each series. */
function latest<K extends 'consensus' | 'serving' | 'metric' | 'source-flag'>(
  kind: K,
  view: (records: readonly MarketRecordOf<K>[], now: EpochMicros) => object,
): MarketRoute['answer'] {
  return async (params, { market, clock }) => {
    const records = await market.latestRecords(kind, filterOf(params))
    const now = clock.now()
    return { at: toIsoMicros(now), ...view(records, now) }
  }
}

/** The newest records of a range, and whether there are more of them. */
function between<K extends 'gap' | 'source-flag'>(
  kind: K,
  view: (records: readonly MarketRecordOf<K>[]) => object,
): MarketRoute['answer'] {
  return async (params, { market, clock }) => {
    const now = clock.now()
    const range = readRange(params, now)
    const limit = readLimit(params, { byDefault: 200, most: 5_000 })
    const found = await market.records({ kind, ...filterOf(params), ...range, limit: limit + 1 })
    return {
      at: toIsoMicros(now),
      from: toIsoMicros(range.from),
      to: toIsoMicros(range.to),
      more: found.length > limit,
      ...view(found.slice(0, limit)),
    }
  }
}
