import type { EpochMicros } from '../core/brands.ts'
import { fromEpochMs, MINUTE, toEpochMs } from '../core/time.ts'

export type Period = 'minute' | 'day' | 'month'

/** Start of the UTC minute, day or calendar month that holds `at`. */
export function periodStart(period: Period, at: EpochMicros): EpochMicros {
  const ms = toEpochMs(at)
  if (period === 'minute') return fromEpochMs(ms - (ms % MINUTE))
  const date = new Date(ms)
  const day = period === 'day' ? date.getUTCDate() : 1
  return fromEpochMs(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day))
}

/** Start of the UTC minute, day or calendar month after the one that holds `at`. */
export function nextPeriodStart(period: Period, at: EpochMicros): EpochMicros {
  const ms = toEpochMs(periodStart(period, at))
  if (period === 'minute') return fromEpochMs(ms + MINUTE)
  const date = new Date(ms)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  return fromEpochMs(period === 'day' ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1))
}

/** ISO 8601 with six fraction digits, as Coinbase writes times. */
export function toIsoMicros(at: EpochMicros): string {
  const micros = String(at % 1_000_000).padStart(6, '0')
  return `${new Date(toEpochMs(at)).toISOString().slice(0, 19)}.${micros}Z`
}
