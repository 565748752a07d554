import type { EpochMicros } from '../../../core/brands.ts'
import type { BatchSource, MarketSink, StoreResult } from '../../../core/ports/sink.ts'
import { marketRecordAt, marketRecordId } from '../../../core/records.ts'
import type { MarketRecord } from '../../../core/records.ts'
import type { SqlDb, Statement } from '../../../host/sqlite.ts'
import { isCurrent, seriesOf, valuesOf } from './market-rows.ts'
import {
  pruneMarketRecords,
  selectPosition,
  upsertMarketLatest,
  upsertMarketRecord,
  upsertPosition,
} from './sink-sql.ts'

/** Rows of one transaction: nobody else waits long for the file. */
const pruneAtOnce = 2_000

/** The records beside quotes, in the file of the quotes. Rows, latest ones and the group's offset are one synced transaction. */
export class SqliteMarketSink implements MarketSink {
  readonly name = 'sqlite'
  readonly #db: SqlDb
  readonly #ring: () => void
  readonly #upsert: Statement
  readonly #setLatest: Statement
  readonly #setPosition: Statement
  readonly #getPosition: Statement
  readonly #prune: Statement
  /** @param ring wakes the readers of the file */
  constructor(db: SqlDb, ring: () => void) {
    this.#db = db
    this.#ring = ring
    this.#upsert = db.prepare(upsertMarketRecord)
    this.#setLatest = db.prepare(upsertMarketLatest)
    this.#setPosition = db.prepare(upsertPosition)
    this.#getPosition = db.prepare(selectPosition)
    this.#prune = db.prepare(pruneMarketRecords)
  }

  async write(records: readonly MarketRecord[], source: BatchSource): Promise<StoreResult> {
    const written = await this.#db.transaction(() => {
      let count = 0
      for (const record of records) count += this.#store(record)
      this.#setPosition.run(source.group, source.topic, source.partition, source.end)
      return count
    })
    if (written > 0) this.#ring()
    return { written, superseded: records.length - written }
  }

  async position(group: string, topic: string, partition: number): Promise<number | undefined> {
    const row = this.#getPosition.get(group, topic, partition)
    return row ? Number(row['off']) : undefined
  }

  async prune(kinds: readonly MarketRecord['kind'][], before: EpochMicros): Promise<number> {
    let removed = 0
    for (const kind of kinds)
      for (let changes = pruneAtOnce; changes === pruneAtOnce; removed += changes)
        changes = await this.#db.transaction(() => this.#prune.run(kind, before, kind, pruneAtOnce).changes)
    return removed
  }

  /** The file is its owner's to close. */
  async close(): Promise<void> {
    await Promise.resolve()
  }

  /** A live record that a backfilled one has replaced already still says that there was one at that time. */
  #store(record: MarketRecord): number {
    const { changes } = this.#upsert.run(...valuesOf(record))
    if (isCurrent(record))
      this.#setLatest.run(seriesOf(record), record.kind, marketRecordAt(record), marketRecordId(record))
    return changes
  }
}
