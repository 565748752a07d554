import { existsSync } from 'node:fs'
import type { AssetId, EpochMicros, ProviderId } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import type {
  ChangeFeed,
  History,
  HistoryPoint,
  HistoryQuery,
  KeyReader,
  LatestPrice,
  LiveEvent,
  MarketReader,
  QuoteReader,
} from '../../../core/ports/reader.ts'
import type { Quote } from '../../../core/records.ts'
import { Bell } from '../../../host/bell.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import { unlessBusy } from './busy.ts'
import { pagesOf, SqliteMarketReader } from './market-reader.ts'
import { latestOf, pointOf, prepareReads } from './reader-sql.ts'
import { quoteOf } from './rows.ts'
import { rollUpWidthsMs, storeSchema } from './schema.ts'

export interface SqliteReaderOptions {
  readonly file: string
}

const pageRows = 1_000
/** A coarser roll-up is taken where a finer one would give more points than this for one series. */
const maxPoints = 20_000

type Filter = { readonly asset?: AssetId; readonly currency?: string; readonly provider?: ProviderId }

/** Reads the store over a connection of its own that can not write; no transaction is longer than one statement. */
class SqliteReader extends SqliteMarketReader implements QuoteReader, KeyReader, ChangeFeed {
  readonly #db: SqlDb
  readonly #bell: Bell
  readonly #sql: ReturnType<typeof prepareReads>
  readonly #listeners = new Set<() => void>()
  constructor(db: SqlDb) {
    super(db)
    this.#db = db
    this.#bell = new Bell(db.file)
    this.#sql = prepareReads(db)
  }

  async latest(filter: Filter = {}): Promise<readonly LatestPrice[]> {
    const rows = await unlessBusy(() => this.#sql.latest.all(...filterValues(filter)))
    return rows.map(latestOf)
  }

  async history(query: HistoryQuery): Promise<History> {
    const stepMs = widthFor(query)
    const width = stepMs * 1_000
    const from = Math.floor(query.from / width)
    const to = Math.ceil(query.to / width)
    const series = await unlessBusy(() => this.#sql.series.all(...filterValues(query)))
    const points: HistoryPoint[] = []
    for (const row of series) {
      const bars = await unlessBusy(() => this.#sql.bars.all(stepMs, Number(row['id']), from, to))
      for (const bar of bars) points.push(pointOf(bar, String(row['provider']) as ProviderId, width))
    }
    return { stepMs, points }
  }

  async changes(after: number, limit: number): Promise<readonly LiveEvent[]> {
    const rows = await unlessBusy(() => this.#sql.changes.all(after, limit))
    const events: LiveEvent[] = []
    for (const row of rows) {
      const series = String(row['series'])
      const prices = await unlessBusy(() => this.#sql.latestOf.all(series))
      events.push({ id: Number(row['id']), prices: prices.map(latestOf) })
    }
    return events
  }

  async newestChange(): Promise<number> {
    return Number((await unlessBusy(() => this.#sql.newest.get()))?.['id'] ?? 0)
  }

  async oldestChange(): Promise<number> {
    return Number((await unlessBusy(() => this.#sql.oldest.get()))?.['id'] ?? 0)
  }

  async *rows(
    range: Filter & { readonly from: EpochMicros; readonly to: EpochMicros },
  ): AsyncIterable<Quote> {
    const series = await unlessBusy(() => this.#sql.series.all(...filterValues(range)))
    for (const row of series) {
      let from: number = range.from
      while (from < range.to) {
        const page = await unlessBusy(() => this.#sql.rows.all(Number(row['id']), from, range.to, pageRows))
        for (const quote of page) yield quoteOf(quote)
        from = page.length < pageRows ? range.to : Number(page.at(-1)?.['observedAt']) + 1
      }
    }
  }

  async *rowsAt(
    { provider, asset, currency }: Pick<Quote, 'provider' | 'asset' | 'currency'>,
    moments: Iterable<EpochMicros>,
  ): AsyncIterable<Quote> {
    for (const page of pagesOf(moments, pageRows)) {
      const wanted = JSON.stringify(page)
      const rows = await unlessBusy(() => this.#sql.rowsAt.all(wanted, provider, asset, currency))
      for (const row of rows) yield quoteOf(row)
    }
  }

  onChange(callback: () => void): () => void {
    const stop = this.#bell.listen(callback)
    this.#listeners.add(stop)
    return () => {
      this.#listeners.delete(stop)
      stop()
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#listeners) stop()
    this.#listeners.clear()
    this.#bell.close()
    this.#db.close()
  }
}

/** The narrowest roll-up that is not finer than asked and not too long for one answer; the widest if there is none. */
function widthFor(query: HistoryQuery): number {
  const fits = rollUpWidthsMs.find(
    width => width >= query.stepMs && (query.to - query.from) / (width * 1_000) <= maxPoints,
  )
  return fits ?? rollUpWidthsMs[2]
}

/** Each filter twice: once to ask whether it is set. */
const filterValues = (f: Filter): (string | null)[] =>
  [f.provider ?? null, f.asset ?? null, f.currency ?? null].flatMap(value => [value, value])

/** All that is read from one store. */
export type StoreReader = QuoteReader & MarketReader & KeyReader & ChangeFeed

/**
 * Opens the store for reading only.
 * @throws CryptosError CRY_CONFIG_INVALID when there is no store yet, CRY_STORE_NEWER, CRY_STORE_CORRUPT, CRY_STORE_UNWRITABLE
 */
export async function openSqliteReader(options: SqliteReaderOptions): Promise<StoreReader> {
  const { file } = options
  if (!existsSync(file))
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `there is no store at ${file} yet: run \`cryptos up\` or \`cryptos process\``,
    )
  const db = new SqlDb(file, { synchronous: 'FULL', readOnly: true })
  try {
    const version = Number(
      (await unlessBusy(() => db.prepare('PRAGMA user_version').get()))?.['user_version'] ?? 0,
    )
    if (version > storeSchema.length)
      throw new CryptosError('CRY_STORE_NEWER', `${file} has schema ${version}: update cryptos`)
    if (version < storeSchema.length)
      throw new CryptosError(
        'CRY_CONFIG_INVALID',
        `${file} has schema ${version}: run \`cryptos process\` once to update it`,
      )
    return new SqliteReader(db)
  } catch (error) {
    db.close()
    throw error
  }
}
