import type { BatchSource, MarketSink, QuoteSink, RecordSink, StoreResult } from '../../../core/ports/sink.ts'
import { quoteId, quoteVersion } from '../../../core/records.ts'
import type { QuotaEvent, Quote } from '../../../core/records.ts'
import type { Bar, Trade } from '../../../core/stream-records.ts'
import { saysNow } from '../rows-to-history.ts'
import { checkDurability } from './durability.ts'
import { Known } from './known.ts'
import { CassandraMarketSink } from './market-sink.ts'
import { monthOf } from './months.ts'
import type { CassandraOptions } from './options.ts'
import { insertQuote, quoteParams } from './quote-rows.ts'
import { barSink, quotaEventSink, tradeSink } from './row-sinks.ts'
import { applySchema } from './schema.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'
import { Partitions, Writer } from './writer.ts'

interface Newest {
  readonly observedAt: number
  readonly version: number
}

/**
 * Quotes in Cassandra. A write is idempotent, and an older version loses by its timestamp, so that no row is read before it is
 * written; therefore `written` counts what was sent, and `superseded` only what a newer row of the same batch replaced.
 */
class CassandraSink implements QuoteSink {
  readonly name = 'cassandra'
  /** The records beside quotes, quota events, trades and bars: over the same connections, closed with this sink. */
  readonly market: MarketSink
  readonly quotaEvents: RecordSink<QuotaEvent>
  readonly trades: RecordSink<Trade>
  readonly bars: RecordSink<Bar>
  readonly #session: Session
  readonly #writer: Writer
  readonly #insert: string
  readonly #names: Known<true>
  readonly #months: Known<true>
  readonly #latest: Known<Newest>
  constructor(session: Session, writer: Writer, { clock }: CassandraOptions) {
    this.#session = session
    this.#writer = writer
    this.#insert = insertQuote(session.keyspace)
    this.market = new CassandraMarketSink(session, writer, clock)
    this.quotaEvents = quotaEventSink(session.keyspace, writer)
    this.trades = tradeSink(session.keyspace, writer)
    this.bars = barSink(session.keyspace, writer)
    this.#names = new Known(clock)
    this.#months = new Known(clock)
    this.#latest = new Known(clock)
  }

  async write(quotes: readonly Quote[], _source: BatchSource): Promise<StoreResult> {
    const rows = newestOfEach(quotes)
    const partitions = new Partitions()
    for (const q of rows) partitions.add(partitionOf(q), { query: this.#insert, params: quoteParams(q) })
    await this.#writer.writeAll(partitions)
    // After the rows: a mark of a row that is not there yet would hide the price before it.
    const marks = new Partitions()
    const remember = [...this.#addNames(rows, marks), ...this.#addLatest(quotes, marks)]
    await this.#writer.writeAll(marks)
    for (const done of remember) done()
    return { written: rows.length, superseded: quotes.length - rows.length }
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  /** Where readers find the rows: once for each provider, and for each month of a series. */
  #addNames(rows: readonly Quote[], partitions: Partitions): (() => void)[] {
    const { keyspace } = this.#session
    const done = new Map<string, () => void>()
    for (const q of rows) {
      const key = partitionOf(q)
      if (done.has(key) || this.#months.get(key)) continue
      done.set(key, () => this.#months.set(key, true))
      partitions.add(`series ${q.provider}`, {
        query: `UPDATE ${keyspace}.series SET months = months + ? WHERE provider=? AND asset=? AND currency=?`,
        params: [[monthOf(q.observedAt)], q.provider, q.asset, q.currency],
      })
      if (done.has(q.provider) || this.#names.get(q.provider)) continue
      done.set(q.provider, () => this.#names.set(q.provider, true))
      partitions.add('names', {
        query: `INSERT INTO ${keyspace}.names (kind, name) VALUES (?,?)`,
        params: ['quotes', q.provider],
      })
    }
    return [...done.values()]
  }

  /** Also of a row that a newer one of the batch replaced: a live value says that there was a price at that time. */
  #addLatest(quotes: readonly Quote[], partitions: Partitions): (() => void)[] {
    const newest = new Map<string, Quote>()
    for (const q of quotes) {
      if (!saysNow(q)) continue
      const key = `${q.provider}|${q.asset}|${q.currency}`
      const before = newest.get(key)
      if (isNewer(q, before ? newestOf(before) : this.#latest.get(key))) newest.set(key, q)
    }
    const query = `INSERT INTO ${this.#session.keyspace}.latest (provider, asset, currency, observed_at, version)
      VALUES (?,?,?,?,?) USING TIMESTAMP ?`
    return [...newest].map(([key, q]) => {
      const { observedAt, version } = newestOf(q)
      const params = [q.provider, q.asset, q.currency, observedAt, version, observedAt]
      partitions.add(`latest ${q.provider}`, { query, params })
      return () => {
        if (isNewer(q, this.#latest.get(key))) this.#latest.set(key, { observedAt, version })
      }
    })
  }
}

const newestOf = (q: Quote): Newest => ({ observedAt: q.observedAt, version: quoteVersion(q) })

const isNewer = (q: Quote, than: Newest | undefined): boolean =>
  than === undefined ||
  q.observedAt > than.observedAt ||
  (q.observedAt === than.observedAt && quoteVersion(q) > than.version)

const partitionOf = (q: Quote): string => `${q.provider}|${q.asset}|${q.currency}|${monthOf(q.observedAt)}`

/** Two versions of one row in one batch would be two mutations for one result. */
function newestOfEach(quotes: readonly Quote[]): readonly Quote[] {
  const best = new Map<string, Quote>()
  for (const q of quotes) {
    const id = quoteId(q)
    const before = best.get(id)
    if (!before || quoteVersion(q) > quoteVersion(before)) best.set(id, q)
  }
  return best.size === quotes.length ? quotes : [...best.values()]
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
