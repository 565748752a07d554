import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { bigintBytes, bytesOf } from './numbers.ts'
import type { QuotePartition } from './quote-series.ts'
import type { Row, Value } from './session.ts'

const extras = ['marketCap', 'volume24h', 'supply', 'change24h'] as const

export const insertQuote = (keyspace: string): string =>
  `INSERT INTO ${keyspace}.quotes (provider, asset, currency, month, observed_at, price, market_cap, volume_24h, supply, change_24h,
   price_double, received_at, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?`

/** What a quote is read from, without its series. */
export const quoteColumns = 'observed_at, detail'

/**
 * All that a quote has beside its key, with the digits of the provider. One cell, and a quote is read from nothing else: two records of
 * one version (received_at + revision) have one write time, and then the server takes the larger value of each cell by itself, so
 * that the columns beside it can be those of the other record.
 */
export function detailOf(q: Quote): string {
  const { symbol, sourceId, runId, rawRef } = q
  if (symbol.includes('\t') || sourceId.includes('\t') || runId.includes('\t') || rawRef.includes('\t'))
    return JSON.stringify(partsOf(q))
  return `${q.price}\t${q.marketCap ?? ''}\t${q.volume24h ?? ''}\t${q.supply ?? ''}\t${q.change24h ?? ''}\t${q.receivedAt}\t${q.revision}\t${q.credits}\t${q.origin}\t${q.observedBy}\t${symbol}\t${sourceId}\t${runId}\t${rawRef}`
}

const partsOf = (q: Quote): readonly (string | number)[] => [
  ...[q.price, q.marketCap ?? '', q.volume24h ?? '', q.supply ?? '', q.change24h ?? ''],
  ...[q.receivedAt, q.revision, q.credits, q.origin, q.observedBy],
  ...[q.symbol, q.sourceId, q.runId, q.rawRef],
]

/** Parameters of `insertQuote`. What can be encoded once for many rows, or better than by the driver, is encoded here. */
export function quoteParams(q: Quote, { series, monthBytes }: QuotePartition): Value[] {
  const observedAt = bigintBytes(q.observedAt)
  const [price, marketCap, volume] = [bytesOf(q.price), bytesOf(q.marketCap), bytesOf(q.volume24h)]
  const [supply, change] = [bytesOf(q.supply), bytesOf(q.change24h)]
  const [receivedAt, version] = [bigintBytes(q.receivedAt), bigintBytes(quoteVersion(q))]
  // biome-ignore format: in the order of the columns
  return [
    series.provider, series.asset, series.currency, monthBytes, observedAt,
    price, marketCap, volume, supply, change, Number(q.price), receivedAt, detailOf(q), version,
  ]
}

/** No decimal begins with a bracket. */
const partsIn = (detail: string): readonly string[] =>
  detail.startsWith('[') ? (JSON.parse(detail) as unknown[]).map(String) : detail.split('\t')

/** Price of a row of `quoteColumns`. */
export const priceOf = (row: Row): DecimalString => (partsIn(String(row['detail']))[0] ?? '') as DecimalString

export const micros = (row: Row, column: string): EpochMicros => Number(row[column]) as EpochMicros

/** A stored row is what a checked quote was, so it is read back without checking again. */
export function quoteOf(row: Row, series: Pick<Quote, 'provider' | 'asset' | 'currency'>): Quote {
  const [price = '', marketCap, volume24h, supply, change24h, ...rest] = partsIn(String(row['detail']))
  const [receivedAt, revision, credits, origin, observedBy, symbol, sourceId, runId, rawRef] = rest
  const texts = [marketCap, volume24h, supply, change24h]
  const found = extras.flatMap((name, i) => (texts[i] ? [[name, texts[i]] as const] : []))
  return {
    ...{ kind: 'quote', provider: series.provider, asset: series.asset },
    ...{ symbol: symbol ?? '', sourceId: sourceId ?? '', currency: series.currency },
    price: price as DecimalString,
    ...(Object.fromEntries(found) as Partial<Record<(typeof extras)[number], DecimalString>>),
    ...{ observedAt: micros(row, 'observed_at'), observedBy: observedBy as Quote['observedBy'] },
    ...{ receivedAt: Number(receivedAt) as EpochMicros, revision: Number(revision) },
    ...{ origin: origin as Quote['origin'], runId: runId ?? '', credits: Number(credits) as Credits },
    rawRef: rawRef ?? '',
  }
}

/** Whose rows: the first columns of each key. */
export const seriesIn = (row: Row): Pick<Quote, 'provider' | 'asset' | 'currency'> => ({
  provider: String(row['provider']) as ProviderId,
  asset: String(row['asset']) as AssetId,
  currency: String(row['currency']),
})
