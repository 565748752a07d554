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
import type { Quote } from '../../../core/records.ts'
import { bySeries, historyFromRows, latestPriceOf } from '../rows-to-history.ts'
import type { Series } from './answers.ts'
import { changeId, changeMeasurement } from './changes.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, tagsAre, where } from './influxql.ts'
import { InfluxMarketReader } from './market-reader.ts'
import { openConnection } from './open.ts'
import type { InfluxOptions } from './options.ts'
import { quoteOf, quotePoints } from './quote-line.ts'
import type { QuoteSeries } from './quote-line.ts'
import { rowsOfRange } from './rows.ts'
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
    return await this.#latestWhere(tagsAre({ asset, currency }))
  }

  async history(query: HistoryQuery): Promise<History> {
    const { asset, currency, provider } = query
    return await historyFromRows(query, ({ from, to }) =>
      rowsOfRange(this.#connection, { asset, currency, from, to, ...(provider ? { provider } : {}) }),
    )
  }

  async changes(after: number, limit: number): Promise<readonly LiveEvent[]> {
    const [found = []] = await ask(this.#connection, [
      `SELECT "series" FROM ${from(this.#connection, changeMeasurement)}${where(`time>${after}u`)} ORDER BY time LIMIT ${limit}`,
    ])
    const events: LiveEvent[] = []
    for (const series of found)
      for (const row of series.values) {
        const names = String(cell(series, row, 'series'))
          .split('\t')
          .map(seriesOfText)
        const prices = await this.#latestOf(names)
        events.push({ id: Number(cell(series, row, 'time')), prices })
      }
    return events
  }

  async newestChange(): Promise<number> {
    return await changeId(this.#connection, 'last')
  }

  async oldestChange(): Promise<number> {
    return await changeId(this.#connection, 'first')
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
      if (point.text !== undefined) yield quoteOf(series, point.at, point.text)
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async #latestOf(names: readonly QuoteSeries[]): Promise<readonly LatestPrice[]> {
    const found: LatestPrice[] = []
    for (let i = 0; i < names.length; i += 100) {
      const any = names
        .slice(i, i + 100)
        .map(({ provider, asset, currency }) => `(${tagsAre({ provider, asset, currency }).join(' AND ')})`)
      found.push(...(await this.#latestWhere([`(${any.join(' OR ')})`])))
    }
    return found.sort(bySeries)
  }

  /** The newest time that a live value claimed, with what is stored for that time now. */
  async #latestWhere(conditions: readonly string[]): Promise<readonly LatestPrice[]> {
    const [found = []] = await ask(this.#connection, [
      `SELECT last("live"), "exact" FROM ${from(this.#connection, quotePoints.name)}${where(...conditions)} ${groups}`,
    ])
    return found.flatMap(latestIn).sort(bySeries)
  }
}

function latestIn(series: Series): LatestPrice[] {
  const row = series.values[0] ?? []
  const exact = cell(series, row, 'exact')
  if (typeof exact !== 'string') return []
  return [latestPriceOf(quoteOf(tagsOf(series), Number(cell(series, row, 'time')), exact))]
}

const tagsOf = ({ tags }: Series): QuoteSeries => tags as unknown as QuoteSeries

function seriesOfText(name: string): QuoteSeries {
  const [provider = '', asset = '', currency = ''] = name.split('|')
  return { provider: provider as ProviderId, asset: asset as AssetId, currency }
}

/**
 * Opens the database for reading: a user with READ is enough.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_SERVER_*
 */
export async function openInfluxReader(
  options: InfluxOptions,
): Promise<QuoteReader & MarketReader & KeyReader> {
  return new InfluxReader(await openConnection(options))
}
