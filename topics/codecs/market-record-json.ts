import type { Codec } from '../../core/ports/codec.ts'
import { flagKinds, gapStates, metricNames } from '../../core/records.ts'
import type { Consensus, Gap, MarketRecord, Metric, Serving, SourceFlag } from '../../core/records.ts'
import {
  anyText,
  assetId,
  at,
  count,
  credits,
  currency,
  decimal,
  encodeJson,
  flag,
  has,
  isNull,
  items,
  micros,
  oneOf,
  parseObject,
  positiveDecimal,
  providerId,
  refuse,
  slug,
  text,
  textOrNull,
  whole,
} from './fields.ts'
import type { Fields } from './fields.ts'

const maxRecordBytes = 64 * 1_024
const maxSentence = 2_000
/** Far more than there are providers. */
const maxSources = 100
const origins = ['live', 'backfill', 'replay', 'sandbox'] as const
const observers = ['source', 'receiver'] as const

/** A kind: its fields in one fixed order, so that one record always has the same bytes, and how they are read. */
interface Shape<R extends MarketRecord> {
  readonly fields: readonly (keyof R & string)[]
  read(f: Fields): R
}

const metric: Shape<Metric> = {
  fields: [
    ...(['kind', 'provider', 'name', 'currency', 'value', 'observedAt', 'observedBy'] as const),
    ...(['receivedAt', 'revision', 'origin', 'runId', 'credits', 'rawRef'] as const),
  ],
  read: f => ({
    kind: 'metric',
    provider: providerId(f, 'provider'),
    name: oneOf(f, 'name', metricNames),
    ...(has(f, 'currency') ? { currency: currency(f, 'currency') } : {}),
    value: decimal(f, 'value'),
    observedAt: micros(f, 'observedAt'),
    observedBy: oneOf(f, 'observedBy', observers),
    receivedAt: micros(f, 'receivedAt'),
    revision: count(f, 'revision'),
    origin: oneOf(f, 'origin', origins),
    runId: text(f, 'runId', 256),
    credits: credits(f, 'credits'),
    rawRef: text(f, 'rawRef', 512),
  }),
}

const gap: Shape<Gap> = {
  fields: [
    ...(['kind', 'provider', 'dataset', 'asset', 'sourceId', 'currency', 'expectedAt', 'state'] as const),
    ...(['reason', 'receivedAt', 'revision', 'origin', 'runId', 'rawRef'] as const),
  ],
  read: f => ({
    kind: 'gap',
    provider: providerId(f, 'provider'),
    dataset: slug(f, 'dataset'),
    asset: assetId(f, 'asset'),
    sourceId: text(f, 'sourceId', 128),
    currency: currency(f, 'currency'),
    expectedAt: micros(f, 'expectedAt'),
    state: oneOf(f, 'state', gapStates),
    reason: anyText(f, 'reason', maxSentence),
    receivedAt: micros(f, 'receivedAt'),
    revision: count(f, 'revision'),
    origin: oneOf(f, 'origin', origins),
    runId: text(f, 'runId', 256),
    rawRef: text(f, 'rawRef', 512),
  }),
}

const sourceFlag: Shape<SourceFlag> = {
  fields: [
    ...(['kind', 'provider', 'asset', 'currency', 'observedAt', 'flag', 'since'] as const),
    ...(['evidence', 'receivedAt', 'origin'] as const),
  ],
  read: f => ({
    kind: 'source-flag',
    provider: providerId(f, 'provider'),
    asset: assetId(f, 'asset'),
    currency: currency(f, 'currency'),
    observedAt: micros(f, 'observedAt'),
    flag: oneOf(f, 'flag', flagKinds),
    since: micros(f, 'since'),
    evidence: anyText(f, 'evidence', maxSentence),
    receivedAt: micros(f, 'receivedAt'),
    origin: oneOf(f, 'origin', origins),
  }),
}

type Source = Consensus['sources'][number]
const sourceFields: readonly (keyof Source)[] = ['provider', 'price', 'observedAt', 'ageMs', 'excluded']

const readSource = (f: Fields): Source => ({
  provider: providerId(f, 'provider'),
  price: positiveDecimal(f, 'price'),
  observedAt: micros(f, 'observedAt'),
  // A source's clock may be ahead of ours.
  ageMs: whole(f, 'ageMs'),
  excluded: textOrNull(f, 'excluded', maxSentence),
})

const consensus: Shape<Consensus> = {
  fields: [
    ...(['kind', 'asset', 'symbol', 'currency', 'at', 'price', 'mad', 'spreadPercent'] as const),
    ...(['isDivergent', 'sources', 'receivedAt', 'origin'] as const),
  ],
  read: f => ({
    kind: 'consensus',
    asset: assetId(f, 'asset'),
    symbol: text(f, 'symbol', 64),
    currency: currency(f, 'currency'),
    at: micros(f, 'at'),
    price: positiveDecimal(f, 'price'),
    mad: positiveDecimal(f, 'mad'),
    spreadPercent: positiveDecimal(f, 'spreadPercent'),
    isDivergent: flag(f, 'isDivergent'),
    sources: distinctProviders('sources', items(f, 'sources', maxSources, readSource)),
    receivedAt: micros(f, 'receivedAt'),
    origin: oneOf(f, 'origin', origins),
  }),
}

const skippedFields = ['provider', 'why'] as const

const serving: Shape<Serving> = {
  fields: [
    ...(['kind', 'role', 'asset', 'currency', 'at', 'provider', 'price', 'observedAt'] as const),
    ...(['skipped', 'receivedAt', 'origin'] as const),
  ],
  read: f => ({
    kind: 'serving',
    role: oneOf(f, 'role', ['spot']),
    asset: assetId(f, 'asset'),
    currency: currency(f, 'currency'),
    at: micros(f, 'at'),
    ...served(f),
    skipped: distinctProviders(
      'skipped',
      items(f, 'skipped', maxSources, s => ({
        provider: providerId(s, 'provider'),
        why: anyText(s, 'why', maxSentence),
      })),
    ),
    receivedAt: micros(f, 'receivedAt'),
    origin: oneOf(f, 'origin', origins),
  }),
}

/** A source with its price and time, or none of the three. */
function served(f: Fields): Pick<Serving, 'provider' | 'price' | 'observedAt'> {
  if (!isNull(f, 'provider'))
    return {
      provider: providerId(f, 'provider'),
      price: positiveDecimal(f, 'price'),
      observedAt: micros(f, 'observedAt'),
    }
  for (const key of ['price', 'observedAt']) if (!isNull(f, key)) refuse(`$.${key}`, 'without a provider')
  return { provider: null, price: null, observedAt: null }
}

/** Nothing would tell which of two values of one source is right. */
function distinctProviders<T extends { readonly provider: string }>(
  key: string,
  list: readonly T[],
): readonly T[] {
  const seen = new Set<string>()
  for (const [index, { provider }] of list.entries()) {
    if (seen.has(provider)) refuse(at(key, index, 'provider'), 'twice')
    seen.add(provider)
  }
  return list
}

const shapes = { metric, gap, 'source-flag': sourceFlag, consensus, serving } as const
const kinds = Object.keys(shapes) as readonly MarketRecord['kind'][]

const picked = (value: object, fields: readonly string[]): object =>
  Object.fromEntries(fields.map(field => [field, (value as Fields)[field]]))

function canonical(record: MarketRecord): object {
  const made = picked(record, shapes[record.kind].fields)
  if (record.kind === 'consensus')
    return { ...made, sources: record.sources.map(s => picked(s, sourceFields)) }
  if (record.kind === 'serving')
    return { ...made, skipped: record.skipped.map(s => picked(s, skippedFields)) }
  return made
}

function readRecord(bytes: Uint8Array): MarketRecord {
  const f = parseObject(bytes, maxRecordBytes)
  return shapes[oneOf(f, 'kind', kinds)].read(f)
}

/**
 * Every record beside quotes as JSON, its kind in `kind`: prices are strings with their digits, times integer microseconds.
 * Unknown fields are ignored, so that a newer producer can add one.
 */
export const marketRecordJson: Codec<MarketRecord> = {
  schema: 'market-record.v1+json',
  encode: record => encodeJson(canonical(record)),
  decode: readRecord,
}
