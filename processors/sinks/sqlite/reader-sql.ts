import type { AssetId, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { HistoryPoint, LatestPrice } from '../../../core/ports/reader.ts'
import type { SqlDb, SqlRow, Statement } from '../../../host/sqlite.ts'
import { originOf, quoteColumns, quoteJoins } from './rows.ts'

export const latestOf = (row: SqlRow): LatestPrice => ({
  provider: String(row['provider']) as ProviderId,
  asset: String(row['asset']) as AssetId,
  symbol: String(row['symbol']),
  currency: String(row['currency']),
  price: String(row['price']) as DecimalString,
  observedAt: Number(row['observedAt']) as EpochMicros,
  receivedAt: Number(row['receivedAt']) as EpochMicros,
  origin: originOf(Number(row['flags'])),
})

export const pointOf = (row: SqlRow, provider: ProviderId, widthMicros: number): HistoryPoint => ({
  provider,
  time: (Number(row['start']) * widthMicros) as EpochMicros,
  open: String(row['open']) as DecimalString,
  high: String(row['high']) as DecimalString,
  low: String(row['low']) as DecimalString,
  close: String(row['close']) as DecimalString,
  count: Number(row['count']),
})

/** Every statement of the reader; each touches only `latest`, `bar`, `change`, or one page of `quote` by its key. */
export function prepareReads(db: SqlDb) {
  const p = (sql: string): Statement => db.prepare(sql)
  const filtered =
    '(? IS NULL OR provider=?) AND (? IS NULL OR asset=?) AND (? IS NULL OR currency=?) ORDER BY provider, asset, currency'
  const latest = `SELECT provider, asset, currency, symbol, price, quote.observedAt AS observedAt, receivedAt, flags
    FROM latest JOIN series ON series.id=latest.series
    JOIN quote ON quote.series=latest.series AND quote.observedAt=latest.observedAt JOIN label ON label.id=quote.label`
  return {
    latest: p(`${latest} WHERE ${filtered}`),
    latestOf: p(
      `${latest} WHERE latest.series IN (SELECT value FROM json_each(?)) ORDER BY provider, asset, currency`,
    ),
    series: p(`SELECT id, provider FROM series WHERE ${filtered}`),
    bars: p(
      `SELECT start, open, high, low, close, count FROM bar
       WHERE width=? AND series=? AND start>=? AND start<? ORDER BY start`,
    ),
    changes: p('SELECT id, series FROM change WHERE id>? ORDER BY id LIMIT ?'),
    newest: p('SELECT max(id) AS id FROM change'),
    oldest: p('SELECT min(id) AS id FROM change'),
    rowsAt: p(
      `SELECT ${quoteColumns} FROM json_each(?) AS wanted
       CROSS JOIN quote ON quote.series=(SELECT id FROM series WHERE provider=? AND asset=? AND currency=?)
         AND quote.observedAt=wanted.value
       ${quoteJoins}`,
    ),
    rows: p(
      `SELECT ${quoteColumns} FROM quote ${quoteJoins}
       WHERE quote.series=? AND quote.observedAt>=? AND quote.observedAt<? ORDER BY quote.observedAt LIMIT ?`,
    ),
  }
}
