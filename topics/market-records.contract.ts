import fc from 'fast-check'
import type { AssetId, Credits, EpochMicros, ProviderId } from '../core/brands.ts'
import { flagKinds, gapStates, metricNames } from '../core/records.ts'
import type {
  Consensus,
  ConsensusSource,
  Gap,
  MarketRecord,
  Metric,
  Origin,
  Serving,
  SourceFlag,
} from '../core/records.ts'
import { anyDecimals, micros, positiveDecimals, printable } from './records.contract.ts'

/** Records beside quotes, that every codec, broker and sink must take. */
const sentence = fc.string({ unit: 'grapheme', maxLength: 100 })
const providers = fc.constantFrom('kraken', 'coinbase', 'coinmarketcap').map(p => p as ProviderId)
const origins = fc.constantFrom<Origin>('live', 'backfill', 'replay', 'sandbox')
const named = {
  asset: fc.constantFrom('bitcoin', 'pax-gold', 'coinmarketcap:32994').map(a => a as AssetId),
  currency: fc.constantFrom('USD', 'EUR', 'USDT', '1INCH.x'),
}
const answered = {
  receivedAt: micros,
  revision: fc.nat(1_000),
  origin: origins,
  runId: printable(128),
  rawRef: printable(128),
}

const metricParts = {
  kind: fc.constant('metric' as const),
  provider: providers,
  name: fc.constantFrom(...metricNames),
  value: anyDecimals,
  observedAt: micros,
  observedBy: fc.constantFrom('source' as const, 'receiver' as const),
  credits: fc.nat(10_000).map(n => n as Credits),
  ...answered,
}
export const metrics: fc.Arbitrary<Metric> = fc.record(
  { ...metricParts, currency: named.currency },
  { noNullPrototype: true, requiredKeys: Object.keys(metricParts) as (keyof typeof metricParts)[] },
)

export const gaps: fc.Arbitrary<Gap> = fc.record(
  {
    kind: fc.constant('gap' as const),
    provider: providers,
    dataset: fc.constantFrom('quotes', 'market', 'history.daily_2'),
    sourceId: printable(128),
    expectedAt: micros,
    state: fc.constantFrom(...gapStates),
    reason: sentence,
    ...named,
    ...answered,
  },
  { noNullPrototype: true },
)

export const sourceFlags: fc.Arbitrary<SourceFlag> = fc.record(
  {
    kind: fc.constant('source-flag' as const),
    provider: providers,
    observedAt: micros,
    flag: fc.constantFrom(...flagKinds),
    since: micros,
    evidence: sentence,
    receivedAt: micros,
    origin: origins,
    ...named,
  },
  { noNullPrototype: true },
)

const sources: fc.Arbitrary<ConsensusSource> = fc.record(
  {
    provider: providers,
    price: positiveDecimals,
    observedAt: micros,
    ageMs: fc.integer({ min: -10_000, max: 1_000_000_000 }),
    excluded: fc.option(sentence),
  },
  { noNullPrototype: true },
)

export const consensuses: fc.Arbitrary<Consensus> = fc.record(
  {
    kind: fc.constant('consensus' as const),
    symbol: printable(64),
    at: micros,
    price: positiveDecimals,
    mad: positiveDecimals,
    spreadPercent: positiveDecimals,
    isDivergent: fc.boolean(),
    sources: fc.uniqueArray(sources, { selector: s => s.provider }),
    receivedAt: micros,
    origin: origins,
    ...named,
  },
  { noNullPrototype: true },
)

const skipped = fc.uniqueArray(fc.record({ provider: providers, why: sentence }, { noNullPrototype: true }), {
  selector: s => s.provider,
})
const nobody = { provider: null, price: null, observedAt: null }
export const servings: fc.Arbitrary<Serving> = fc
  .tuple(
    fc.record(
      {
        kind: fc.constant('serving' as const),
        role: fc.constant('spot' as const),
        at: micros,
        skipped,
        receivedAt: micros,
        origin: origins,
        ...named,
      },
      { noNullPrototype: true },
    ),
    fc.option(fc.record({ provider: providers, price: positiveDecimals, observedAt: micros })),
  )
  .map(([rest, who]) => ({ ...rest, ...(who ?? nobody) }))

export const marketRecords: fc.Arbitrary<MarketRecord> = fc.oneof(
  metrics,
  gaps,
  sourceFlags,
  consensuses,
  servings,
)

/** The same record with a time and a version of a test's choosing. */
export const dated = <R extends MarketRecord>(record: R, at: number, receivedAt: number): R => {
  const time = at as EpochMicros
  const moment =
    record.kind === 'metric' || record.kind === 'source-flag'
      ? { observedAt: time }
      : record.kind === 'gap'
        ? { expectedAt: time }
        : { at: time }
  return { ...record, ...moment, receivedAt: receivedAt as EpochMicros }
}
