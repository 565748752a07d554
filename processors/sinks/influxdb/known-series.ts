import type { InfluxConnection } from './connection.ts'
import { seriesHead } from './line.ts'
import type { PointShape } from './point-shape.ts'
import { keyOf, newestTimes } from './stored.ts'

/** What is known of a series of the partition in hand. */
export interface KnownSeries<R> {
  readonly key: string
  readonly head: string
  /** Any record of it. */
  readonly sample: R
  /** Newest time that is stored, or on its way; 0 = none. */
  newestAt: number
  /** That of the record which came after one of this series the last time. */
  next: KnownSeries<R> | undefined
}

/** The series of a partition that were met. Each poll of a source has them in the same order, so the next one is mostly foreseen. */
export class SeriesOfPlace<R> {
  readonly #shape: PointShape<R>
  readonly #byKey = new Map<string, KnownSeries<R>>()
  #last: KnownSeries<R> | undefined
  constructor(shape: PointShape<R>) {
    this.#shape = shape
  }

  /** undefined = not known yet. */
  of(record: R): KnownSeries<R> | undefined {
    const last = this.#last
    const foreseen = last?.next
    if (foreseen !== undefined && this.#shape.isSameSeries(foreseen.sample, record)) {
      this.#last = foreseen
      return foreseen
    }
    const found = this.#byKey.get(this.#shape.key(record))
    if (found === undefined) return undefined
    if (last !== undefined) last.next = found
    this.#last = found
    return found
  }

  /** Makes series known: one question for each measurement. @throws CryptosError CRY_SERVER_* */
  async load(connection: InfluxConnection, unknown: ReadonlyMap<string, UnknownSeries<R>>): Promise<void> {
    const shape = this.#shape
    const byMeasurement = Map.groupBy(unknown, ([, { record }]) => shape.measurement(record))
    for (const [measurement, all] of byMeasurement) {
      const tags = all.map(([, { record }]) => shape.tags(record))
      const times = await newestTimes(connection, measurement, tags)
      for (const [i, [key, { record, head }]] of all.entries()) {
        const newestAt = times.get(keyOf(measurement, tags[i] ?? {})) ?? 0
        this.#byKey.set(key, { key, head, sample: record, newestAt, next: undefined })
      }
    }
  }
}

export interface UnknownSeries<R> {
  readonly record: R
  readonly head: string
}

/** @throws CryptosError CRY_RECORD_INVALID for names that the server can not take */
export const headOf = <R>(shape: PointShape<R>, record: R): string =>
  seriesHead(shape.measurement(record).name, shape.tags(record))
