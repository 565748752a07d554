import type { EpochMicros } from '../../../core/brands.ts'
import type { KnownSeries } from './known-series.ts'
import { liveLine } from './line.ts'
import { Lines } from './lines.ts'
import type { PointShape } from './point-shape.ts'

/** What is done about a batch. */
export interface Plan {
  readonly lines: Lines
  /** Records that can not be stored, by their place, with the reason. */
  readonly refused: Map<number, string>
  written: number
  superseded: number
}

export const emptyPlan = (): Plan => ({ lines: new Lines(), refused: new Map(), written: 0, superseded: 0 })

/** One moment of one series that is not newer than all before, with everything of the batch that claims it. */
export interface Moment<R> {
  readonly series: KnownSeries<R>
  readonly at: EpochMicros
  readonly members: number[]
  stored: { readonly version: number } | undefined
}

export interface Batch<R> {
  readonly shape: PointShape<R>
  readonly records: readonly R[]
  /** Series of each record; undefined = of a refused one. */
  readonly series: readonly (KnownSeries<R> | undefined)[]
}

/** Identity of a record, by its series and moment. */
export const idOf = (key: string, at: number): string => `${key}\n${at}`

/** The moments that need a look at the store: what is not newer than all before in its series. Notes what is. */
export function momentsToCheck<R>(
  { shape, records, series: all }: Batch<R>,
  refused: ReadonlyMap<number, string>,
): Map<string, Moment<R>> {
  const moments = new Map<string, Moment<R>>()
  records.forEach((record, i) => {
    const series = all[i]
    if (series === undefined || (refused.size > 0 && refused.has(i))) return
    const at = shape.at(record)
    if (at > series.newestAt) series.newestAt = at
    else moments.set(idOf(series.key, at), { series, at, members: [], stored: undefined })
  })
  return moments
}

/** Lines of a batch. What `moments` holds is folded by version; all else is newer than anything of its series. */
export function planBatch<R>(batch: Batch<R>, moments: ReadonlyMap<string, Moment<R>>, plan: Plan): void {
  const { shape, records, series: all } = batch
  const { lines, refused } = plan
  records.forEach((record, i) => {
    const series = all[i]
    if (series === undefined || (refused.size > 0 && refused.has(i))) return
    const at = shape.at(record)
    const moment = moments.size === 0 ? undefined : moments.get(idOf(series.key, at))
    if (moment) moment.members.push(i)
    else lines.push(shape.line(series.head, record, shape.isLive(record)), at, i)
  })
  plan.written += lines.length
  for (const moment of moments.values()) planMoment(batch, moment, plan)
}

/**
 * The larger version wins. An equal one is the same value, and is sent again all the same: the one that is there may be of a write
 * whose answer was lost, and only an answer says that it is on the disk. Of a live record that lost, its mark is left.
 */
function planMoment<R>({ shape, records }: Batch<R>, moment: Moment<R>, plan: Plan): void {
  const { series, at, members, stored } = moment
  const best = members.reduce((a, b) => (versionAt(b) > versionAt(a) ? b : a))
  const isLive = members.some(i => shape.isLive(records[i] as R))
  const isNew = stored === undefined || versionAt(best) > stored.version
  if (isNew || versionAt(best) === stored.version)
    plan.lines.push(shape.line(series.head, records[best] as R, isLive), at, best)
  else if (isLive) plan.lines.push(liveLine(series.head, at), at)
  plan.written += isNew ? 1 : 0
  plan.superseded += members.length - (isNew ? 1 : 0)
  function versionAt(i: number): number {
    return shape.version(records[i] as R)
  }
}
