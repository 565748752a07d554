import type { AssetId, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type {
  History,
  HistoryQuery,
  KeyReader,
  LatestPrice,
  LiveEvent,
  QuoteReader,
} from '../../../core/ports/reader.ts'
import type { Quote } from '../../../core/records.ts'
import { bySeries, historyFromRows, latestFromRows } from '../rows-to-history.ts'
import type { PriceRow } from '../rows-to-history.ts'
import { inParallel } from './in-parallel.ts'
import { monthOf, monthsWithin } from './months.ts'
import { micros, priceOf, quoteColumns, seriesIn, shownColumns, shownQuoteOf } from './quote-rows.ts'
import type { Row, Session, Value } from './session.ts'

type Series = Pick<Quote, 'provider' | 'asset' | 'currency'>
type Filter = { readonly provider?: ProviderId; readonly asset?: AssetId; readonly currency?: string }

interface Mark extends Series {
  readonly observedAt: EpochMicros
}

/** Moments asked for in one statement. */
const momentsAtOnce = 100

/** Reads quotes by their partitions: which there are is told by `names` and `series`, so that no table is scanned. */
export class CassandraQuoteReader implements QuoteReader, Pick<KeyReader, 'rowsAt'> {
  readonly #session: Session
  constructor(session: Session) {
    this.#session = session
  }

  async latest(filter: Filter = {}): Promise<readonly LatestPrice[]> {
    return await this.#pricesOf(await this.#marks(filter))
  }

  /** Worked out from the rows: a history of days over years reads them all. */
  async history(query: HistoryQuery): Promise<History> {
    return await historyFromRows(query, plan => this.#prices(query, plan))
  }

  /** Nothing: no commit of other processes is told apart here. Who wants to know what is new asks for the latest prices. */
  async changes(): Promise<readonly LiveEvent[]> {
    return []
  }

  async newestChange(): Promise<number> {
    return 0
  }

  async oldestChange(): Promise<number> {
    return 0
  }

  async *rows(
    range: Filter & { readonly from: EpochMicros; readonly to: EpochMicros },
  ): AsyncIterable<Quote> {
    for await (const { series, row } of this.#rowsOf(range, shownColumns)) yield shownQuoteOf(row, series)
  }

  async *rowsAt(series: Series, moments: Iterable<EpochMicros>): AsyncIterable<Quote> {
    const { provider, asset, currency } = series
    const query = `SELECT ${shownColumns} FROM ${this.#session.keyspace}.quotes
      WHERE provider=? AND asset=? AND currency=? AND month=? AND observed_at IN ?`
    for (const [month, ofMonth] of Map.groupBy(moments, monthOf))
      for (let i = 0; i < ofMonth.length; i += momentsAtOnce) {
        const params: Value[] = [provider, asset, currency, month, ofMonth.slice(i, i + momentsAtOnce)]
        for await (const row of this.#session.pages(query, params)) yield shownQuoteOf(row, series)
      }
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  async *#prices(
    query: HistoryQuery,
    range: { from: EpochMicros; to: EpochMicros },
  ): AsyncIterable<PriceRow> {
    const { asset, currency, provider } = query
    const filter = { asset, currency, ...(provider === undefined ? {} : { provider }), ...range }
    for await (const { series, row } of this.#rowsOf(filter, quoteColumns))
      yield { provider: series.provider, observedAt: micros(row, 'observed_at'), price: priceOf(row) }
  }

  async *#rowsOf(
    range: Filter & { readonly from: EpochMicros; readonly to: EpochMicros },
    columns: string,
  ): AsyncIterable<{ readonly series: Series; readonly row: Row }> {
    const query = `SELECT ${columns} FROM ${this.#session.keyspace}.quotes
      WHERE provider=? AND asset=? AND currency=? AND month=? AND observed_at>=? AND observed_at<?`
    for (const { months, ...series } of await this.#series(range))
      for (const month of monthsWithin(months, range.from, range.to)) {
        const params = [series.provider, series.asset, series.currency, month, range.from, range.to]
        for await (const row of this.#session.pages(query, params)) yield { series, row }
      }
  }

  async #series(filter: Filter): Promise<readonly (Series & { readonly months: readonly number[] })[]> {
    const rows = await this.#byProvider('series', filter)
    return rows.map(row => ({ ...seriesIn(row), months: (row['months'] ?? []) as number[] })).sort(bySeries)
  }

  async #marks(filter: Filter): Promise<readonly Mark[]> {
    const rows = await this.#byProvider('latest', filter)
    return rows.map(row => ({
      ...seriesIn(row),
      observedAt: micros(row, 'observed_at'),
    }))
  }

  /** The rows of a small table: one partition for each provider. */
  async #byProvider(table: 'series' | 'latest', filter: Filter): Promise<readonly Row[]> {
    const found: Row[] = []
    const byAsset = filter.asset === undefined ? '' : ' AND asset=?'
    for (const provider of await this.#providers(filter)) {
      const params = [provider, ...(filter.asset === undefined ? [] : [filter.asset])]
      const query = `SELECT * FROM ${this.#session.keyspace}.${table} WHERE provider=?${byAsset}`
      for await (const row of this.#session.pages(query, params))
        if (filter.currency === undefined || row['currency'] === filter.currency) found.push(row)
    }
    return found
  }

  async #providers({ provider }: Filter): Promise<readonly string[]> {
    if (provider !== undefined) return [provider]
    const query = `SELECT name FROM ${this.#session.keyspace}.names WHERE kind=?`
    return (await this.#session.run({ query, params: ['quotes'] })).map(row => String(row['name']))
  }

  async #pricesOf(marks: readonly Mark[]): Promise<readonly LatestPrice[]> {
    const rows = await inParallel(
      marks,
      async mark => await Array.fromAsync(this.rowsAt(mark, [mark.observedAt])),
    )
    return latestFromRows(marks, rows.flat())
  }
}
