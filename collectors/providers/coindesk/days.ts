import { EpochMicros } from '../../../core/brands.ts'
import { DAY } from '../../../core/time.ts'
import type { TimeRange } from '../../provider.ts'

const dayMicros = DAY * 1_000
/** First day of the index; an earlier one is answered by an error. */
export const firstDay = Date.UTC(2010, 6, 17) / DAY

/** Both are days since 1970-01-01 in UTC and belong to it; last < first = no day. */
export interface DaySpan {
  readonly first: number
  readonly last: number
}

/** A daily close is the price of its day's last microsecond. */
export const closeAt = (day: number): EpochMicros => EpochMicros((day + 1) * dayMicros - 1)

/** The days whose close lies in [from, to): the last one has to be over at `to`. */
export const daysOf = ({ from, to }: TimeRange): DaySpan => ({
  first: Math.max(firstDay, Math.floor(from / dayMicros)),
  last: Math.floor(to / dayMicros) - 1,
})

/** `2021-01-07`. */
export const dayText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** `2021-01-07` to a day; undefined for anything else, `2021-02-30` too. */
export function dayOf(text: string): number | undefined {
  if (!/^20\d{2}-\d{2}-\d{2}$/.test(text)) return undefined
  const day = Date.parse(`${text}T00:00:00Z`) / DAY
  return Number.isInteger(day) && dayText(day) === text ? day : undefined
}
