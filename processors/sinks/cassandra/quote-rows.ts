import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Origin, Quote } from '../../../core/records.ts'
import { monthOf } from './months.ts'
import { bytesOf, exactOf, numberIn } from './numbers.ts'
import type { Exact } from './numbers.ts'
import type { Row, Value } from './session.ts'

const numbers = ['price', 'marketCap', 'volume24h', 'supply', 'change24h'] as const
const columns = ['price', 'market_cap', 'volume_24h', 'supply', 'change_24h'] as const

type Detail = [string, string, Quote['observedBy'], Origin, number, string, number, string, Exact[]]

export const insertQuote = (keyspace: string): string =>
  `INSERT INTO ${keyspace}.quotes (provider, asset, currency, month, observed_at, price, market_cap, volume_24h, supply, change_24h,
   price_double, received_at, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?`

/** What a quote is read from, without its series. */
export const quoteColumns = `observed_at, received_at, detail, ${columns.join(', ')}`
/** Enough for a point of a history. */
export const priceColumns = 'observed_at, price, detail'

function detailOf(q: Quote): string {
  const exact = numbers.map(name => exactOf(q[name]))
  const detail: Detail = [
    ...([q.symbol, q.sourceId, q.observedBy, q.origin, q.revision, q.runId, q.credits, q.rawRef] as const),
    exact,
  ]
  return JSON.stringify(detail)
}

/** Parameters of `insertQuote`. */
export function quoteParams(q: Quote): Value[] {
  return [
    ...[q.provider, q.asset, q.currency, monthOf(q.observedAt), q.observedAt],
    ...[
      bytesOf(q.price),
      bytesOf(q.marketCap),
      bytesOf(q.volume24h),
      bytesOf(q.supply),
      bytesOf(q.change24h),
    ],
    ...[Number(q.price), q.receivedAt, detailOf(q), quoteVersion(q)],
  ]
}

const detailIn = (row: Row): Detail => JSON.parse(String(row['detail'])) as Detail

/** Price of a row of `priceColumns`. */
export const priceOf = (row: Row): DecimalString =>
  numberIn(row, 'price', detailIn(row)[8][0]) ?? (String(row['price']) as DecimalString)

export const micros = (row: Row, column: string): EpochMicros => Number(row[column]) as EpochMicros

/** A stored row is what a checked quote was, so it is read back without checking again. */
export function quoteOf(row: Row, series: Pick<Quote, 'provider' | 'asset' | 'currency'>): Quote {
  const [symbol, sourceId, observedBy, origin, revision, runId, credits, rawRef, exact] = detailIn(row)
  const [price, ...extras] = columns.map((column, i) => numberIn(row, column, exact[i]))
  const found = extras.flatMap((text, i) => (text === undefined ? [] : [[numbers[i + 1], text] as const]))
  return {
    ...{ kind: 'quote', provider: series.provider, asset: series.asset, symbol, sourceId },
    ...{ currency: series.currency, price: price ?? ('0' as DecimalString) },
    ...(Object.fromEntries(found) as Pick<Quote, 'marketCap' | 'volume24h' | 'supply' | 'change24h'>),
    ...{ observedAt: micros(row, 'observed_at'), observedBy, receivedAt: micros(row, 'received_at') },
    ...{ revision, origin, runId, credits: credits as Credits, rawRef },
  }
}

/** Whose rows: the first columns of each key. */
export const seriesIn = (row: Row): Pick<Quote, 'provider' | 'asset' | 'currency'> => ({
  provider: String(row['provider']) as ProviderId,
  asset: String(row['asset']) as AssetId,
  currency: String(row['currency']),
})
