import { EpochMicros } from '../../../core/brands.ts'
import { DAY } from '../../../core/time.ts'

const dayMicros = DAY * 1_000
const hourMicros = 3_600_000_000

export const dayOf = (at: EpochMicros): number => Math.floor(at / dayMicros)
export const hourOf = (at: EpochMicros): number => Math.floor(at / hourMicros)

/** Most rows of a batch lie in one or two days. */
let last = { day: -1, month: 0 }

/** year * 100 + month, in UTC. */
export function monthOf(at: EpochMicros): number {
  const day = dayOf(at)
  if (day !== last.day) {
    const date = new Date(day * DAY)
    last = { day, month: date.getUTCFullYear() * 100 + date.getUTCMonth() + 1 }
  }
  return last.month
}

/** Those of the months that have a moment of [from, to), in order. */
export function monthsWithin(
  months: readonly number[],
  from: EpochMicros,
  to: EpochMicros,
): readonly number[] {
  if (to <= from) return []
  const [first, end] = [monthOf(from), monthOf(EpochMicros(to - 1))]
  return months.filter(month => month >= first && month <= end).sort((a, b) => a - b)
}
