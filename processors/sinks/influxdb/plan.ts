import type { EpochMicros } from '../../../core/brands.ts'
import { liveLine } from './line.ts'
import type { SentLine } from './partial.ts'
import type { PointShape } from './point-shape.ts'

/** What is known of a series of the partition in hand. */
export interface KnownSeries {
  readonly head: string
  /** Newest times that are stored, or on their way; 0 = none. */
  any: number
  live: number
}

export interface PlannedLine extends SentLine {
  /** Place in the batch of the record that it stands for; undefined = none. */
  readonly record: number | undefined
}

/** What is done about a batch. */
export interface Plan<R> {
  readonly lines: PlannedLine[]
  readonly sent: R[]
  /** Series whose newest live record may look different now, with one of its records. */
  readonly changed: Map<string, R>
  /** Records that can not be stored, by their place, with the reason. */
  readonly refused: Map<number, string>
  written: number
  superseded: number
}

export const emptyPlan = <R>(): Plan<R> => ({
  ...{ lines: [], sent: [], changed: new Map(), refused: new Map() },
  ...{ written: 0, superseded: 0 },
})

/** One moment of one series that is not newer than all before, with everything of the batch that claims it. */
export interface Moment {
  readonly key: string
  readonly at: EpochMicros
  readonly members: number[]
  stored: { readonly version: number } | undefined
}

export interface Batch<R> {
  readonly shape: PointShape<R>
  readonly records: readonly R[]
  readonly keys: readonly string[]
  readonly series: ReadonlyMap<string, KnownSeries>
}

/** Identity of a record, by its series and moment. */
export const idOf = (key: string, at: number): string => `${key}\n${at}`

/** The moments that need a look at the store: what is not newer than all before in its series. Notes what is. */
export function momentsToCheck<R>(
  batch: Batch<R>,
  refused: ReadonlyMap<number, string>,
): Map<string, Moment> {
  const moments = new Map<string, Moment>()
  batch.records.forEach((record, i) => {
    const key = batch.keys[i] as string
    const series = batch.series.get(key)
    if (series === undefined || refused.has(i)) return
    const at = batch.shape.at(record)
    if (at > series.any) series.any = at
    else moments.set(idOf(key, at), { key, at, members: [], stored: undefined })
  })
  return moments
}

/** Lines of a batch. What `moments` holds is folded by version; all else is newer than anything of its series. */
export function planBatch<R>(batch: Batch<R>, moments: ReadonlyMap<string, Moment>, plan: Plan<R>): void {
  batch.records.forEach((record, i) => {
    if (plan.refused.has(i)) return
    const moment =
      moments.size === 0 ? undefined : moments.get(idOf(batch.keys[i] as string, batch.shape.at(record)))
    if (moment) moment.members.push(i)
    else planNew(batch, i, record, plan)
  })
  for (const moment of moments.values()) planMoment(batch, moment, plan)
}

function planNew<R>({ shape, keys, series }: Batch<R>, i: number, record: R, plan: Plan<R>): void {
  const key = keys[i] as string
  const known = series.get(key) as KnownSeries
  const [at, isLive] = [shape.at(record), shape.isLive(record)]
  plan.lines.push({ line: shape.line(known.head, record, isLive), at, record: i })
  plan.sent.push(record)
  plan.written += 1
  if (!isLive) return
  known.live = at
  plan.changed.set(key, record)
}

/**
 * The larger version wins. An equal one is the same value, and is sent again all the same: the one that is there may be of a write
 * whose answer was lost, and only an answer says that it is on the disk. Of a live record that lost, its mark is left.
 */
function planMoment<R>({ shape, records, series }: Batch<R>, moment: Moment, plan: Plan<R>): void {
  const { key, at, members, stored } = moment
  const known = series.get(key) as KnownSeries
  const best = members.reduce((a, b) => (versionAt(b) > versionAt(a) ? b : a))
  const isLive = members.some(i => shape.isLive(records[i] as R))
  const isNew = stored === undefined || versionAt(best) > stored.version
  const wins = isNew || versionAt(best) === stored.version
  const record = records[best] as R
  if (wins) {
    plan.lines.push({ line: shape.line(known.head, record, isLive), at, record: best })
    plan.sent.push(record)
  } else if (isLive) plan.lines.push({ line: liveLine(known.head, at), at, record: undefined })
  plan.written += isNew ? 1 : 0
  plan.superseded += members.length - (isNew ? 1 : 0)
  if (isLive && (at > known.live || (isNew && at === known.live))) {
    known.live = at
    plan.changed.set(key, record)
  }
  function versionAt(i: number): number {
    return shape.version(records[i] as R)
  }
}
