import type { EpochMicros } from '../../../core/brands.ts'
import type { BatchSource, MarketSink, StoreResult } from '../../../core/ports/sink.ts'
import { marketRecordAt, marketRecordId, marketRecordVersion } from '../../../core/records.ts'
import type { MarketRecord } from '../../../core/records.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { saysNow } from '../rows-to-history.ts'
import { Known } from './known.ts'
import { pruneMarket } from './market-prune.ts'
import { insertRecord, marketSeriesOf, placeOf } from './market-rows.ts'
import type { Session } from './session.ts'
import { Partitions } from './writer.ts'
import type { Writer } from './writer.ts'

/** The records beside quotes. Counts as the sink of quotes does: `superseded` is only what the same batch had newer. */
export class CassandraMarketSink implements MarketSink {
  readonly name = 'cassandra'
  readonly #session: Session
  readonly #clock: Clock
  readonly #writer: Writer
  readonly #days: Known<true>
  readonly #latest: Known<number>
  constructor(session: Session, writer: Writer, clock: Clock) {
    this.#session = session
    this.#clock = clock
    this.#writer = writer
    this.#days = new Known(clock)
    this.#latest = new Known(clock)
  }

  async write(records: readonly MarketRecord[], _source: BatchSource): Promise<StoreResult> {
    const rows = newestOfEach(records)
    const partitions = new Partitions()
    for (const record of rows) {
      const place = placeOf(record)
      partitions.add(
        `${place.kind} ${place.shard} ${place.day}`,
        insertRecord(this.#session.keyspace, record, place),
      )
    }
    await this.#writer.writeAll(partitions.batches())
    const marks = new Partitions()
    const remember = [...this.#addDays(rows, marks), ...this.#addLatest(records, marks)]
    await this.#writer.writeAll(marks.batches())
    for (const done of remember) done()
    return { written: rows.length, superseded: records.length - rows.length }
  }

  async prune(kinds: readonly MarketRecord['kind'][], before: EpochMicros): Promise<number> {
    let removed = 0
    for (const kind of kinds)
      removed += await pruneMarket(this.#session, { kind, before, now: this.#clock.now() })
    return removed
  }

  /** The connection is its owner's to close. */
  async close(): Promise<void> {
    await Promise.resolve()
  }

  #addDays(rows: readonly MarketRecord[], marks: Partitions): (() => void)[] {
    const query = `INSERT INTO ${this.#session.keyspace}.market_days (kind, day) VALUES (?,?)`
    const done = new Map<string, () => void>()
    for (const { kind, day } of rows.map(placeOf)) {
      const key = `${kind} ${day}`
      if (done.has(key) || this.#days.get(key)) continue
      done.set(key, () => this.#days.set(key, true))
      marks.add(`days ${kind}`, { query, params: [kind, day] })
    }
    return [...done.values()]
  }

  /** A live record that a backfilled one has replaced already still says that there was one at that time. */
  #addLatest(records: readonly MarketRecord[], marks: Partitions): (() => void)[] {
    const newest = new Map<string, MarketRecord>()
    for (const record of records) {
      if (!saysNow(record)) continue
      const series = marketSeriesOf(record)
      const before = newest.get(series)
      const knownAt = before ? marketRecordAt(before) : (this.#latest.get(series) ?? -1)
      if (marketRecordAt(record) > knownAt) newest.set(series, record)
    }
    const query = `INSERT INTO ${this.#session.keyspace}.market_latest (kind, series, at, id) VALUES (?,?,?,?) USING TIMESTAMP ?`
    return [...newest].map(([series, record]) => {
      const at = marketRecordAt(record)
      marks.add(`latest ${record.kind}`, {
        query,
        params: [record.kind, series, at, marketRecordId(record), at],
      })
      return () => this.#latest.set(series, Math.max(at, this.#latest.get(series) ?? -1))
    })
  }
}

function newestOfEach(records: readonly MarketRecord[]): readonly MarketRecord[] {
  const best = new Map<string, MarketRecord>()
  for (const record of records) {
    const id = marketRecordId(record)
    const before = best.get(id)
    if (!before || marketRecordVersion(record) > marketRecordVersion(before)) best.set(id, record)
  }
  return [...best.values()]
}
