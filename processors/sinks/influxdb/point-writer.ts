import { CryptosError, isCryptosError } from '../../../core/errors.ts'
import type { BatchSource, StoreResult } from '../../../core/ports/sink.ts'
import { DAY } from '../../../core/time.ts'
import type { InfluxConnection } from './connection.ts'
import { headOf, SeriesOfPlace } from './known-series.ts'
import type { KnownSeries, UnknownSeries } from './known-series.ts'
import { emptyPlan, idOf, momentsToCheck, planBatch } from './plan.ts'
import type { Moment, Plan } from './plan.ts'
import type { PointShape } from './point-shape.ts'
import { storeLines } from './store-lines.ts'
import { pointsAt } from './stored.ts'

/** A partition that one reads: as long as its batches follow each other, nobody else writes its series. */
interface Place<R> {
  next: number
  readonly series: SeriesOfPlace<R>
}

const earliest = Date.UTC(2009, 0, 1) * 1_000

/**
 * Stores records as points, of which the larger version wins, although the server takes any write. A record that is newer than
 * anything of its series needs no look; for one that is not, the stored versions are read. That is exact as long as one consumer
 * reads a partition: when batches do not follow each other, or a write failed, what was known is asked for anew.
 */
export class PointWriter<R> {
  readonly #connection: InfluxConnection
  readonly #shape: PointShape<R>
  readonly #places = new Map<string, Place<R>>()
  constructor(connection: InfluxConnection, shape: PointShape<R>) {
    this.#connection = connection
    this.#shape = shape
  }

  /** @param first done before the request, with what is in it */
  async write(
    records: readonly R[],
    source: BatchSource,
    first?: (sent: readonly R[]) => Promise<void>,
  ): Promise<StoreResult> {
    const partition = `${source.group}\n${source.topic}\n${source.partition}`
    const known = this.#places.get(partition)
    const place =
      known?.next === source.first ? known : { next: source.first, series: new SeriesOfPlace(this.#shape) }
    // Gone unless this batch ends well: nobody knows what a failed write has stored.
    this.#places.delete(partition)
    const plan = await this.#plan(records, place.series)
    await first?.(plan.lines.records.map(record => records[record] as R))
    await this.#send(plan)
    place.next = source.end
    this.#places.set(partition, place)
    return resultOf(plan)
  }

  /** Stores these as they are, whatever is stored. @throws as `write` does */
  async overwrite(records: readonly R[]): Promise<void> {
    this.#places.clear()
    const shape = this.#shape
    const plan = emptyPlan()
    this.#refuseTimes(records, plan.refused)
    for (const [i, record] of records.entries())
      orRefuse(plan.refused, i, () => {
        if (plan.refused.has(i)) return
        const at = shape.at(record)
        plan.lines.push(shape.line(headOf(shape, record), record, shape.isLive(record)), at, i)
      })
    plan.written = plan.lines.length
    await this.#send(plan)
    resultOf(plan)
  }

  async #plan(records: readonly R[], known: SeriesOfPlace<R>): Promise<Plan> {
    const plan = emptyPlan()
    const shape = this.#shape
    const series = await this.#seriesOf(records, known, plan.refused)
    this.#refuseTimes(records, plan.refused)
    const batch = { shape, records, series }
    const moments = momentsToCheck(batch, plan.refused)
    if (moments.size > 0) await this.#loadStored(moments)
    planBatch(batch, moments, plan)
    return plan
  }

  /** The series of each record; those that are not known are asked for. */
  async #seriesOf(
    records: readonly R[],
    known: SeriesOfPlace<R>,
    refused: Map<number, string>,
  ): Promise<(KnownSeries<R> | undefined)[]> {
    const shape = this.#shape
    const found = records.map(record => known.of(record))
    if (!found.includes(undefined)) return found
    const unknown = new Map<string, UnknownSeries<R>>()
    for (const [i, record] of records.entries()) {
      if (found[i] !== undefined) continue
      const key = shape.key(record)
      if (unknown.has(key)) continue
      orRefuse(refused, i, () => unknown.set(key, { record, head: headOf(shape, record) }))
    }
    if (unknown.size === 0) return found
    await known.load(this.#connection, unknown)
    return records.map(record => known.of(record))
  }

  /** Reads what is stored of the moments in question. */
  async #loadStored(moments: ReadonlyMap<string, Moment<R>>): Promise<void> {
    const shape = this.#shape
    const bySeries = Map.groupBy(moments.values(), moment => moment.series)
    const asked = [...bySeries].map(([{ sample }, list]) => ({
      ...{ measurement: shape.measurement(sample), tags: shape.tags(sample) },
      moments: list.map(moment => moment.at),
    }))
    for (const [measurement, series] of Map.groupBy(asked, one => one.measurement))
      for await (const { key, point } of pointsAt(this.#connection, measurement, series)) {
        const moment = moments.get(idOf(key, point.at))
        const version = point.text === undefined ? Number.NEGATIVE_INFINITY : shape.versionOf(point.text)
        if (moment) moment.stored = { version }
      }
  }

  async #send(plan: Plan): Promise<void> {
    if (plan.lines.length === 0) return
    for (const [i, why] of await storeLines(this.#connection, plan.lines)) {
      const { record } = plan.lines.at(i)
      if (record === undefined || plan.refused.has(record)) continue
      plan.refused.set(record, why)
      plan.written -= 1
    }
  }

  /** Seconds or milliseconds in the place of microseconds would be stored in 1970, without a word of the server. */
  #refuseTimes(records: readonly R[], refused: Map<number, string>): void {
    const shape = this.#shape
    const latest = this.#connection.options.clock.now() + DAY * 1_000
    records.forEach((record, i) => {
      const at = shape.at(record)
      if ((at >= earliest && at <= latest) || refused.has(i)) return
      refused.set(i, `the time ${at} of a record is not in microseconds between 2009 and tomorrow`)
    })
  }
}

function orRefuse(refused: Map<number, string>, place: number, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!isCryptosError(error) || error.code !== 'CRY_RECORD_INVALID') throw error
    refused.set(place, error.message)
  }
}

/** @throws CryptosError CRY_RECORD_INVALID that names the records which are not stored; all others are */
function resultOf({ written, superseded, refused }: Plan): StoreResult {
  const [first] = refused.values()
  if (first === undefined) return { written, superseded }
  throw new CryptosError('CRY_RECORD_INVALID', first, { partial: { written, superseded, refused } })
}
