import type { BatchSource, MarketSink, QuoteSink, RecordSink, StoreResult } from '../../../core/ports/sink.ts'
import type { QuotaEvent, Quote } from '../../../core/records.ts'
import type { Bar, Trade } from '../../../core/stream-records.ts'
import { checkDurability } from './durability.ts'
import { CassandraMarketSink } from './market-sink.ts'
import { bigintBytes } from './numbers.ts'
import type { CassandraOptions } from './options.ts'
import { insertQuote, quoteParams } from './quote-rows.ts'
import { SeriesBook } from './quote-series.ts'
import type { PartitionRows, ProviderBook, QuotePartition, QuoteSeries } from './quote-series.ts'
import { barSink, quotaEventSink, tradeSink } from './row-sinks.ts'
import { applySchema } from './schema.ts'
import { openSession } from './session.ts'
import type { Session, Statement } from './session.ts'
import { inBatches, Partitions, Writer } from './writer.ts'

/**
 * Quotes in Cassandra. A write is idempotent, and an older version loses by its timestamp, so that no row is read before it is
 * written; therefore `written` counts what was sent, and `superseded` only what a newer row of the same batch replaced.
 */
export class CassandraSink implements QuoteSink {
  readonly name = 'cassandra'
  /** Each mutation has its price for the server, whatever it holds: 4,000 rows of 600 series cost it a fifth more a row than 6,000. */
  readonly batchRecords = 6_000
  /** The records beside quotes, quota events, trades and bars: over the same connections, closed with this sink. */
  readonly market: MarketSink
  readonly quotaEvents: RecordSink<QuotaEvent>
  readonly trades: RecordSink<Trade>
  readonly bars: RecordSink<Bar>
  readonly #session: Session
  readonly #writer: Writer
  readonly #insert: string
  readonly #insertLatest: string
  readonly #addMonth: string
  readonly #addName: string
  readonly #book: SeriesBook
  constructor(session: Session, writer: Writer, { clock }: Pick<CassandraOptions, 'clock'>) {
    this.#session = session
    this.#writer = writer
    this.#insert = insertQuote(session.keyspace)
    this.market = new CassandraMarketSink(session, writer, clock)
    this.quotaEvents = quotaEventSink(session.keyspace, writer)
    this.trades = tradeSink(session.keyspace, writer)
    this.bars = barSink(session.keyspace, writer)
    const { keyspace } = session
    this.#insertLatest = `INSERT INTO ${keyspace}.latest (provider, asset, currency, observed_at) VALUES (?,?,?,?) USING TIMESTAMP ?`
    this.#addMonth = `UPDATE ${keyspace}.series SET months = months + ? WHERE provider=? AND asset=? AND currency=?`
    this.#addName = `INSERT INTO ${keyspace}.names (kind, name) VALUES (?,?)`
    this.#book = new SeriesBook(clock)
  }

  async write(quotes: readonly Quote[], _source: BatchSource): Promise<StoreResult> {
    const parts = this.#book.partsOf(quotes)
    let written = 0
    for (const { rows } of parts.values()) written += rows.length
    await this.#writer.writeAll(this.#inserts(parts))
    // After the rows: a mark of a row that is not there yet would hide the price before it.
    const marks = new Partitions()
    const remember = [...this.#addNames(parts.keys(), marks), ...this.#addLatest(parts, marks)]
    await this.#writer.writeAll(marks.batches())
    for (const done of remember) done()
    return { written, superseded: quotes.length - written }
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  *#inserts(parts: ReadonlyMap<QuotePartition, PartitionRows>): Iterable<readonly Statement[]> {
    const query = this.#insert
    for (const [partition, { rows }] of parts)
      for (const some of inBatches(rows)) yield some.map(q => ({ query, params: quoteParams(q, partition) }))
  }

  /** Where readers find the rows: once for each provider, and for each month of a series. */
  #addNames(parts: Iterable<QuotePartition>, marks: Partitions): (() => void)[] {
    const done: (() => void)[] = []
    const providers = new Set<ProviderBook>()
    for (const part of parts) {
      if (part.isNamed) continue
      const { series, month } = part
      done.push(() => (part.isNamed = true))
      const params = [[month], series.provider, series.asset, series.currency]
      marks.add(`series ${series.provider}`, { query: this.#addMonth, params })
      if (!series.of.isNamed) providers.add(series.of)
    }
    for (const book of providers) {
      done.push(() => (book.isNamed = true))
      marks.add('names', { query: this.#addName, params: ['quotes', book.provider] })
    }
    return done
  }

  /** Once for each series, and only where its newest moment is news. */
  #addLatest(parts: ReadonlyMap<QuotePartition, PartitionRows>, marks: Partitions): (() => void)[] {
    const newest = new Map<QuoteSeries, number>()
    for (const [{ series }, { liveAt }] of parts)
      if (liveAt > (newest.get(series) ?? series.latestAt)) newest.set(series, liveAt)
    return [...newest].map(([series, at]) => {
      const { provider, asset, currency } = series
      const moment = bigintBytes(at)
      const params = [provider, asset, currency, moment, moment]
      marks.add(series.of, { query: this.#insertLatest, params })
      return () => (series.latestAt = Math.max(series.latestAt, at))
    })
  }
}

/**
 * Opens the store of one keyspace, and makes what is missing of it if the user may.
 * @throws CryptosError CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED, CRY_SERVER_CONFIG, CRY_STORE_NEWER, CRY_CONFIG_INVALID
 */
export async function openCassandraSink(options: CassandraOptions): Promise<CassandraSink> {
  const session = await openSession(options)
  try {
    await checkDurability(session, options)
    await applySchema(session, options)
    return new CassandraSink(session, new Writer(session), options)
  } catch (error) {
    await session.close()
    throw error
  }
}
