import type { SqlDb, SqlRow, Statement } from '../../../host/sqlite.ts'
import { barOfBars, barOfPrices } from './bars.ts'
import type { Bar } from './bars.ts'
import { rollUpWidthsMs } from './schema.ts'

const [minuteMs, hourMs, dayMs] = rollUpWidthsMs
const minuteMicros = minuteMs * 1_000
/** Buckets per transaction: some 20 ms, then other writers and the event loop have their turn. */
const maxBuckets = 2_000
/** Changes that are kept for clients that come back. */
const maxChanges = 10_000

/**
 * Folds what batches touched into bars and latest prices. A bar is always computed anew from what lies under it (minutes from raw
 * rows, hours from minutes, days from hours), so folding twice, late rows and replaced values all end in the same bars.
 */
export class RollUp {
  readonly #db: SqlDb
  readonly #sql: ReturnType<typeof prepareAll>
  constructor(db: SqlDb) {
    this.#db = db
    this.#sql = prepareAll(db)
  }

  /** Folds some of the queue in one transaction. Returns how many batches were folded, 0 at the end. */
  async foldSome(nowMicros: number): Promise<number> {
    if (!this.#sql.oldest.get()) return 0
    return await this.#db.transaction(() => {
      const batches = this.#take()
      const last = batches.at(-1)
      if (!last) return 0
      this.#foldBars(batches)
      const changed = this.#foldLatest(batches)
      this.#sql.addChange.run(last.id, nowMicros, JSON.stringify(changed))
      this.#sql.pruneChanges.run(last.id - maxChanges)
      this.#sql.done.run(last.id)
      return batches.length
    })
  }

  #take(): readonly Touched[] {
    const taken: Touched[] = []
    let buckets = 0
    for (const row of this.#sql.queue.all(maxBuckets)) {
      const touched = touchedOf(row)
      buckets += touched.buckets.length / 2
      if (taken.length > 0 && buckets > maxBuckets) break
      taken.push(touched)
    }
    return taken
  }

  #foldBars(batches: readonly Touched[]): void {
    const minutes = new Buckets()
    for (const { buckets } of batches)
      for (let i = 0; i < buckets.length; i += 2) minutes.add(buckets[i] ?? 0, buckets[i + 1] ?? 0)
    const hours = new Buckets()
    const days = new Buckets()
    minutes.each((series, minute) => {
      const from = minute * minuteMicros
      this.#store(minuteMs, series, minute, barOfPrices(this.#sql.raw.all(series, from, from + minuteMicros)))
      hours.add(series, Math.floor(minute / 60))
    })
    hours.each((series, hour) => {
      const rows = this.#sql.bars.all(minuteMs, series, hour * 60, hour * 60 + 60)
      this.#store(hourMs, series, hour, barOfBars(rows))
      days.add(series, Math.floor(hour / 24))
    })
    days.each((series, day) => {
      this.#store(dayMs, series, day, barOfBars(this.#sql.bars.all(hourMs, series, day * 24, day * 24 + 24)))
    })
  }

  #store(widthMs: number, series: number, start: number, bar: Bar | undefined): void {
    if (bar) this.#sql.setBar.run(widthMs, series, start, bar.open, bar.high, bar.low, bar.close, bar.count)
  }

  /** Never back in time. Returns the series whose latest price may look different now. */
  #foldLatest(batches: readonly Touched[]): readonly number[] {
    const newest = new Map<number, number>()
    for (const batch of batches)
      for (let i = 0; i < batch.newest.length; i += 2) {
        const series = batch.newest[i] ?? 0
        newest.set(series, Math.max(newest.get(series) ?? 0, batch.newest[i + 1] ?? 0))
      }
    return [...newest]
      .filter(([series, at]) => this.#sql.setLatest.run(series, at).changes > 0)
      .map(([s]) => s)
  }
}

interface Touched {
  readonly id: number
  /** series, minute, series, minute … */
  readonly buckets: readonly number[]
  /** series, observedAt, series, observedAt … of rows that say what a price is now. */
  readonly newest: readonly number[]
}

const touchedOf = (row: SqlRow): Touched => ({
  id: Number(row['id']),
  buckets: JSON.parse(String(row['buckets'])) as number[],
  newest: JSON.parse(String(row['newest'])) as number[],
})

/** A set of (series, bucket). */
class Buckets {
  readonly #bySeries = new Map<number, Set<number>>()
  add(series: number, bucket: number): void {
    const buckets = this.#bySeries.get(series)
    if (buckets) buckets.add(bucket)
    else this.#bySeries.set(series, new Set([bucket]))
  }
  each(visit: (series: number, bucket: number) => void): void {
    for (const [series, buckets] of this.#bySeries) for (const bucket of buckets) visit(series, bucket)
  }
}

function prepareAll(db: SqlDb) {
  const p = (sql: string): Statement => db.prepare(sql)
  return {
    oldest: p('SELECT id FROM touched LIMIT 1'),
    queue: p('SELECT id, buckets, newest FROM touched ORDER BY id LIMIT ?'),
    done: p('DELETE FROM touched WHERE id<=?'),
    raw: p('SELECT price FROM quote WHERE series=? AND observedAt>=? AND observedAt<? ORDER BY observedAt'),
    bars: p(
      `SELECT open, high, low, close, count FROM bar
       WHERE width=? AND series=? AND start>=? AND start<? ORDER BY start`,
    ),
    setBar: p(
      `INSERT INTO bar(width, series, start, open, high, low, close, count) VALUES(?,?,?,?,?,?,?,?)
       ON CONFLICT(width, series, start) DO UPDATE SET
       open=excluded.open, high=excluded.high, low=excluded.low, close=excluded.close, count=excluded.count`,
    ),
    setLatest: p(
      `INSERT INTO latest(series, observedAt) VALUES(?,?) ON CONFLICT(series)
       DO UPDATE SET observedAt=excluded.observedAt WHERE excluded.observedAt >= latest.observedAt`,
    ),
    addChange: p('INSERT INTO change(id, at, series) VALUES(?,?,?)'),
    pruneChanges: p('DELETE FROM change WHERE id<=?'),
  }
}
