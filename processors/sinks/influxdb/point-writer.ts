import { CryptosError, isCryptosError } from '../../../core/errors.ts'
import type { BatchSource, StoreResult } from '../../../core/ports/sink.ts'
import { DAY } from '../../../core/time.ts'
import type { InfluxConnection } from './connection.ts'
import { seriesHead } from './line.ts'
import type { SentLine } from './partial.ts'
import { emptyPlan, idOf, momentsToCheck, planBatch } from './plan.ts'
import type { KnownSeries, Moment, Plan } from './plan.ts'
import type { PointShape } from './point-shape.ts'
import { storeLines } from './store-lines.ts'
import { keyOf, newestTimes, pointsAt } from './stored.ts'

/** A partition that one reads: as long as its batches follow each other, nobody else writes its series. */
interface Place {
  next: number
  readonly series: Map<string, KnownSeries>
}

export interface WriteExtras<R> {
  /** Lines that go into the same request. */
  readonly more?: (plan: Plan<R>) => readonly SentLine[]
  /** Done before the request. */
  readonly first?: (plan: Plan<R>) => Promise<void>
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
  readonly #places = new Map<string, Place>()
  constructor(connection: InfluxConnection, shape: PointShape<R>) {
    this.#connection = connection
    this.#shape = shape
  }

  async write(records: readonly R[], source: BatchSource, extras: WriteExtras<R> = {}): Promise<StoreResult> {
    const partition = `${source.group}\n${source.topic}\n${source.partition}`
    const known = this.#places.get(partition)
    const place = known?.next === source.first ? known : { next: source.first, series: new Map() }
    // Gone unless this batch ends well: nobody knows what a failed write has stored.
    this.#places.delete(partition)
    const plan = await this.#plan(records, place)
    await extras.first?.(plan)
    await this.#send(plan, extras.more?.(plan) ?? [])
    place.next = source.end
    this.#places.set(partition, place)
    return resultOf(plan)
  }

  /** Stores these as they are, whatever is stored. @throws as `write` does */
  async overwrite(records: readonly R[]): Promise<void> {
    this.#places.clear()
    const shape = this.#shape
    const plan = emptyPlan<R>()
    this.#refuseTimes(records, plan.refused)
    for (const [i, record] of records.entries())
      orRefuse(plan.refused, i, () => {
        if (plan.refused.has(i)) return
        const at = shape.at(record)
        const head = seriesHead(shape.measurement(record).name, shape.tags(record))
        plan.lines.push({ line: shape.line(head, record, shape.isLive(record)), at, record: i })
      })
    plan.written = plan.lines.length
    await this.#send(plan, [])
    resultOf(plan)
  }

  async #plan(records: readonly R[], place: Place): Promise<Plan<R>> {
    const plan = emptyPlan<R>()
    const shape = this.#shape
    const keys = records.map(record => shape.key(record))
    await this.#load(records, keys, place, plan.refused)
    this.#refuseTimes(records, plan.refused)
    const batch = { shape, records, keys, series: place.series }
    const moments = momentsToCheck(batch, plan.refused)
    if (moments.size > 0) await this.#loadStored(moments, records, keys)
    planBatch(batch, moments, plan)
    return plan
  }

  /** Makes the series known that are not: one question for each measurement. */
  async #load(
    records: readonly R[],
    keys: readonly string[],
    place: Place,
    refused: Map<number, string>,
  ): Promise<void> {
    const shape = this.#shape
    const unknown = new Map<string, { readonly record: R; readonly head: string }>()
    for (const [i, key] of keys.entries()) {
      if (place.series.has(key) || unknown.has(key)) continue
      const record = records[i] as R
      orRefuse(refused, i, () => {
        unknown.set(key, { record, head: seriesHead(shape.measurement(record).name, shape.tags(record)) })
      })
    }
    const byMeasurement = Map.groupBy(unknown, ([, { record }]) => shape.measurement(record))
    for (const [measurement, all] of byMeasurement) {
      const times = await newestTimes(
        this.#connection,
        measurement,
        all.map(([, { record }]) => shape.tags(record)),
      )
      for (const [key, { record, head }] of all) {
        const { any = 0, live = 0 } = times.get(keyOf(measurement, shape.tags(record))) ?? {}
        place.series.set(key, { head, any, live })
      }
    }
  }

  /** Reads what is stored of the moments in question. */
  async #loadStored(
    moments: Map<string, Moment>,
    records: readonly R[],
    keys: readonly string[],
  ): Promise<void> {
    const shape = this.#shape
    const bySeries = Map.groupBy(moments.values(), moment => moment.key)
    const asked = [...bySeries].map(([key, list]) => {
      const record = records[keys.indexOf(key)] as R
      const times = list.map(moment => moment.at)
      return { measurement: shape.measurement(record), tags: shape.tags(record), moments: times }
    })
    for (const [measurement, series] of Map.groupBy(asked, one => one.measurement))
      for await (const { key, point } of pointsAt(this.#connection, measurement, series)) {
        const moment = moments.get(idOf(key, point.at))
        const version = point.text === undefined ? Number.NEGATIVE_INFINITY : shape.versionOf(point.text)
        if (moment) moment.stored = { version }
      }
  }

  async #send(plan: Plan<R>, more: readonly SentLine[]): Promise<void> {
    const lines = more.length === 0 ? plan.lines : [...plan.lines, ...more]
    if (lines.length === 0) return
    for (const [i, why] of await storeLines(this.#connection, lines)) {
      const record = plan.lines[i]?.record
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
      if (at >= earliest && at <= latest) return
      const why = `the time ${at} of a record is not in microseconds between 2009 and tomorrow`
      if (!refused.has(i)) refused.set(i, why)
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
function resultOf<R>({ written, superseded, refused }: Plan<R>): StoreResult {
  const [first] = refused.values()
  if (first === undefined) return { written, superseded }
  throw new CryptosError('CRY_RECORD_INVALID', first, { partial: { written, superseded, refused } })
}
