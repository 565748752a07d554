import type { AssetId, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type {
  History,
  HistoryQuery,
  KeyReader,
  LatestPrice,
  LiveEvent,
  MarketReader,
  QuoteReader,
} from '../../../core/ports/reader.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { bySeries, historyFromRows, latestPriceOf } from '../rows-to-history.ts'
import type { Series } from './answers.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, tagsAre, where } from './influxql.ts'
import { InfluxMarketReader } from './market-reader.ts'
import { openConnection } from './open.ts'
import type { InfluxOptions } from './options.ts'
import { quoteFrom } from '../quote-text.ts'
import { quotePoints } from './quote-line.ts'
import type { QuoteSeries } from '../quote-text.ts'
import { rowsOfRange, tagsOf } from './rows.ts'
import { pointsAt } from './stored.ts'

type Filter = { readonly asset?: AssetId; readonly currency?: string; readonly provider?: ProviderId }
const groups = 'GROUP BY "provider", "asset", "currency"'

/** Reads InfluxDB by InfluxQL, which only selects. */
export class InfluxReader extends InfluxMarketReader implements QuoteReader, KeyReader {
  readonly #connection: InfluxConnection
  constructor(connection: InfluxConnection) {
    super(connection)
    this.#connection = connection
  }

  async latest({ asset, currency }: Filter = {}): Promise<readonly LatestPrice[]> {
    const newest = await this.#newest(tagsAre({ asset, currency }))
    return newest.map(latestPriceOf).sort(bySeries)
  }

  async history(query: HistoryQuery): Promise<History> {
    const { asset, currency, provider } = query
    return await historyFromRows(query, ({ from, to }) =>
      rowsOfRange(this.#connection, { asset, currency, from, to, ...(provider ? { provider } : {}) }),
    )
  }

  /**
   * Nothing is written for it, and nothing of the product asks: it is worked out from what is stored now. One event with every series
   * whose newest value is newer than `after`; its id is the largest version among them. A late value with an older version changes no id.
   */
  async changes(after: number, limit: number): Promise<readonly LiveEvent[]> {
    const newer = (await this.#newest([])).filter(q => quoteVersion(q) > after)
    if (newer.length === 0 || limit < 1) return []
    return [{ id: newestOf(newer), prices: newer.map(latestPriceOf).sort(bySeries) }]
  }

  async newestChange(): Promise<number> {
    return newestOf(await this.#newest([]))
  }

  /** What changed is worked out from what is so now: no client is too far behind. */
  async oldestChange(): Promise<number> {
    return 0
  }

  async *rows(
    range: Filter & { readonly from: EpochMicros; readonly to: EpochMicros },
  ): AsyncIterable<Quote> {
    yield* rowsOfRange(this.#connection, range)
  }

  async *rowsAt(series: QuoteSeries, moments: Iterable<EpochMicros>): AsyncIterable<Quote> {
    const { provider, asset, currency } = series
    const asked = [{ tags: { provider, asset, currency }, moments }]
    for await (const { point } of pointsAt(this.#connection, quotePoints, asked))
      if (point.text !== undefined) yield quoteFrom(series, point.at, point.text)
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  /** Of each series the newest time that a live value claimed, with what is stored for that time now. */
  async #newest(conditions: readonly string[]): Promise<readonly Quote[]> {
    const [found = []] = await ask(this.#connection, [
      `SELECT last("live"), "exact" FROM ${from(this.#connection, quotePoints.name)}${where(...conditions)} ${groups}`,
    ])
    return found.flatMap(newestIn)
  }
}

function newestIn(series: Series): Quote[] {
  const row = series.values[0] ?? []
  const exact = cell(series, row, 'exact')
  if (typeof exact !== 'string') return []
  return [quoteFrom(tagsOf(series), Number(cell(series, row, 'time')), exact)]
}

const newestOf = (quotes: readonly Quote[]): number =>
  quotes.reduce((newest, q) => Math.max(newest, quoteVersion(q)), 0)

/**
 * Opens the database for reading: a user with READ is enough.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_SERVER_*
 */
export async function openInfluxReader(
  options: InfluxOptions,
): Promise<QuoteReader & MarketReader & KeyReader> {
  return new InfluxReader(await openConnection(options))
}
