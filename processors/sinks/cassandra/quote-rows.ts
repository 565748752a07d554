import { Decimal } from 'decimal.js'
import type { AssetId, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { priceIn, quoteFrom, type QuoteSeries, quoteText } from '../quote-text.ts'
import { bigintBytes, bytesOf } from './numbers.ts'
import type { QuotePartition } from './quote-series.ts'
import type { Row, Value } from './session.ts'

export const insertQuote = (keyspace: string): string =>
  `INSERT INTO ${keyspace}.quotes (provider, asset, currency, month, observed_at, price, market_cap, volume_24h, supply, change_24h,
   price_double, received_at, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?`

/**
 * What a quote is read from, without its series: one cell and nothing else. Two records of one version (received_at + revision) have
 * one write time, and then the server takes the larger value of each cell by itself, so that the columns beside it can be those of
 * the other record.
 */
export const quoteColumns = 'observed_at, detail'

/** The same beside the price that others read by CQL, as the server itself writes it. */
export const shownColumns = `${quoteColumns}, CAST(price AS text) AS shown`

/** Parameters of `insertQuote`. What can be encoded once for many rows, or better than by the driver, is encoded here. */
export function quoteParams(q: Quote, { series, monthBytes }: QuotePartition): Value[] {
  const observedAt = bigintBytes(q.observedAt)
  const [price, marketCap, volume] = [bytesOf(q.price), bytesOf(q.marketCap), bytesOf(q.volume24h)]
  const [supply, change] = [bytesOf(q.supply), bytesOf(q.change24h)]
  const [receivedAt, version] = [bigintBytes(q.receivedAt), bigintBytes(quoteVersion(q))]
  // biome-ignore format: in the order of the columns
  return [
    series.provider, series.asset, series.currency, monthBytes, observedAt,
    price, marketCap, volume, supply, change, Number(q.price), receivedAt, quoteText(q), version,
  ]
}

/** Price of a row of `quoteColumns`. */
export const priceOf = (row: Row): DecimalString => priceIn(String(row['detail']))

export const micros = (row: Row, column: string): EpochMicros => Number(row[column]) as EpochMicros

/** The quote of a row of `quoteColumns`. */
export const quoteOf = (row: Row, series: QuoteSeries): Quote =>
  quoteFrom(series, micros(row, 'observed_at'), String(row['detail']))

/** Whose rows: the first columns of each key. */
export const seriesIn = (row: Row): QuoteSeries => ({
  provider: String(row['provider']) as ProviderId,
  asset: String(row['asset']) as AssetId,
  currency: String(row['currency']),
})

/**
 * The quote of a row of `shownColumns`, with the price that others see where it is another than the quote's own: somebody changed the
 * one or the other, and an audit has to tell.
 */
export function shownQuoteOf(row: Row, series: QuoteSeries): Quote {
  const quote = quoteOf(row, series)
  const shown = String(row['shown'] ?? '')
  return shown !== '' && new Decimal(shown).eq(quote.price)
    ? quote
    : { ...quote, price: shown as DecimalString }
}
