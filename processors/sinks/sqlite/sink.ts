import { setImmediate as nextTurn } from 'node:timers/promises'
import { toCryptosError } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { BatchSource, MarketSink, QuoteSink, StoreResult } from '../../../core/ports/sink.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { Bell } from '../../../host/bell.ts'
import { migrate } from '../../../host/migrations.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import type { Statement } from '../../../host/sqlite.ts'
import { Dictionaries } from './dictionaries.ts'
import { RollUp } from './rollup.ts'
import { flagsOf, isCurrent } from './rows.ts'
import { storeSchema } from './schema.ts'
import { SqliteMarketSink } from './market-sink.ts'
import { selectPosition, upsertPosition, upsertQuote } from './sink-sql.ts'
import { Touched } from './touched.ts'

export interface SqliteSinkOptions {
  /** The store; its folder is made if it is missing. On a local file system only. */
  readonly file: string
  readonly clock: Clock
}

/** Batches that may wait for the roll-up pass before a write waits for it. */
const maxBehind = 64

/**
 * Quotes in one SQLite file. Rows, the group's offset and a note of what was touched are one synced transaction; right after it a
 * roll-up pass brings bars, latest prices and the change feed up to date and rings the bell. What a crash left is folded at open.
 */
export class SqliteSink implements QuoteSink {
  readonly name = 'sqlite'
  /** The records beside quotes, in the same file and by the same connection; closed with this sink. */
  readonly market: MarketSink
  readonly #db: SqlDb
  readonly #bell: Bell
  readonly #clock: Clock
  readonly #rollUp: RollUp
  readonly #dictionaries: Dictionaries
  readonly #upsert: Statement
  readonly #setPosition: Statement
  readonly #getPosition: Statement
  readonly #addTouched: Statement
  readonly #latestFrom: Statement
  #behind = 0
  #folding: Promise<void> | undefined
  #foldError: unknown
  constructor(db: SqlDb, clock: Clock) {
    this.#db = db
    this.#clock = clock
    this.#bell = new Bell(db.file)
    this.market = new SqliteMarketSink(db, () => this.#ring())
    this.#rollUp = new RollUp(db)
    this.#dictionaries = new Dictionaries(db)
    this.#upsert = db.prepare(upsertQuote)
    this.#setPosition = db.prepare(upsertPosition)
    this.#getPosition = db.prepare(selectPosition)
    this.#latestFrom = db.prepare('SELECT 1 FROM latest WHERE series=? AND observedAt>=?')
    this.#addTouched = db.prepare('INSERT INTO touched(buckets, newest) VALUES(?,?)')
  }

  async write(quotes: readonly Quote[], source: BatchSource): Promise<StoreResult> {
    if (this.#behind >= maxBehind || this.#foldError !== undefined) await this.foldAll()
    const written = await this.#inTransaction(() => {
      const touched = this.#storeRows(quotes)
      this.#setPosition.run(source.group, source.topic, source.partition, source.end)
      if (touched.any) this.#addTouched.run(touched.bucketsText(), touched.newestText())
      return touched.written
    })
    this.#behind += 1
    this.#startFold()
    return { written, superseded: quotes.length - written }
  }

  async position(group: string, topic: string, partition: number): Promise<number | undefined> {
    const row = this.#getPosition.get(group, topic, partition)
    return row ? Number(row['off']) : undefined
  }

  /** Resolves when everything that was written can be seen by readers. @throws what made the roll-up pass fail */
  async foldAll(): Promise<void> {
    this.#startFold()
    while (this.#folding !== undefined) await this.#folding
    if (this.#foldError !== undefined) throw this.#foldError
  }

  async close(): Promise<void> {
    try {
      await this.foldAll()
    } finally {
      this.#bell.close()
      this.#db.close()
    }
  }

  async #inTransaction<T>(work: () => T): Promise<T> {
    try {
      const result = await this.#db.transaction(work)
      this.#dictionaries.settled(true)
      return result
    } catch (error) {
      this.#dictionaries.settled(false)
      throw error
    }
  }

  #storeRows(quotes: readonly Quote[]): Touched {
    const touched = new Touched()
    for (const quote of quotes) {
      const series = this.#dictionaries.series(quote)
      const stored = this.#storeRow(quote, series)
      if (stored) touched.stored(series, quote.observedAt)
      if (isCurrent(quote) && (stored || this.#isNewer(series, quote.observedAt)))
        touched.current(series, quote.observedAt)
    }
    return touched
  }

  /** A live value that a backfilled one has replaced already still says that there was a price at that time. */
  #isNewer(series: number, observedAt: number): boolean {
    return this.#latestFrom.get(series, observedAt) === undefined
  }

  #storeRow(q: Quote, series: number): boolean {
    const { changes } = this.#upsert.run(
      series,
      q.observedAt,
      quoteVersion(q),
      q.price,
      Number(q.price),
      q.marketCap ?? null,
      q.volume24h ?? null,
      q.supply ?? null,
      q.change24h ?? null,
      q.receivedAt,
      flagsOf(q),
      this.#dictionaries.label(q),
      this.#dictionaries.answer(q),
    )
    return changes > 0
  }

  /** One pass at a time; it begins in a later turn of the event loop, so that `write` never waits for it. */
  #startFold(): void {
    this.#folding ??= this.#fold().finally(() => {
      this.#folding = undefined
      // A batch that came while the pass was ending. After a failure the next write starts it again.
      if (this.#behind > 0 && this.#foldError === undefined) this.#startFold()
    })
  }

  async #fold(): Promise<void> {
    this.#foldError = undefined
    try {
      for (;;) {
        await nextTurn()
        this.#behind = 0
        if ((await this.#rollUp.foldSome(this.#clock.now())) === 0) return
        this.#ring()
      }
    } catch (error) {
      // Told to the next write, or to who waits for the pass; the queue is in the file, so nothing is lost.
      this.#foldError = error
    }
  }

  /** Everything is durable by now: a bell that can not be rung only makes readers later. */
  #ring(): void {
    try {
      this.#bell.ring()
    } catch (error) {
      process.emitWarning(`the bell of ${this.#db.file} can not be rung: ${toCryptosError(error).message}`)
    }
  }
}

/**
 * Opens (and makes, if it is missing) the store of quotes, and folds what a crash left unfolded.
 * @throws CryptosError CRY_STORE_CORRUPT, CRY_STORE_NEWER, CRY_STORE_UNWRITABLE, CRY_STORE_BUSY, CRY_DISK_FULL
 */
export async function openSqliteSink(options: SqliteSinkOptions): Promise<SqliteSink> {
  const db = new SqlDb(options.file, { synchronous: 'FULL' })
  try {
    await migrate(db, storeSchema)
    const sink = new SqliteSink(db, options.clock)
    await sink.foldAll()
    return sink
  } catch (error) {
    db.close()
    throw error
  }
}
