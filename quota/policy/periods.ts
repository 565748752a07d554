import type { EpochMicros } from '../../core/brands.ts'
import { addMs, DAY, fromEpochMs, toEpochMs } from '../../core/time.ts'
import type { PolicyContext } from './constants.ts'

export type PeriodKind = 'month' | 'day'

/** One quota period. `carry` = charges of calls that the provider may count in the next period. */
export interface Period {
  readonly startsAt: EpochMicros
  readonly resetsAt: EpochMicros
  readonly settled: number
  readonly carry: number
}

/** The calendar month or day in UTC (CoinMarketCap Basic: docs of 2018-2026), until the provider says another reset. */
export function firstPeriod(kind: PeriodKind, now: EpochMicros): Period {
  const date = new Date(toEpochMs(now))
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const start = kind === 'month' ? Date.UTC(year, month) : Date.UTC(year, month, day)
  const end = kind === 'month' ? Date.UTC(year, month + 1) : start + DAY
  return { startsAt: fromEpochMs(start), resetsAt: fromEpochMs(end), settled: 0, carry: 0 }
}

/** The reset after this one: the same time of the next day, or the same day of the next month (cut to its last day). */
function nextReset(kind: PeriodKind, resetsAt: EpochMicros): EpochMicros {
  if (kind === 'day') return addMs(resetsAt, DAY)
  const date = new Date(toEpochMs(resetsAt))
  const wanted = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + 1)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(wanted, lastDay))
  return fromEpochMs(date.getTime())
}

/** Opens the period that holds `now`: what may count in both starts as used. */
export function openNext(kind: PeriodKind, period: Period, now: EpochMicros): Period {
  let startsAt = period.resetsAt
  let resetsAt = nextReset(kind, startsAt)
  while (resetsAt <= now) {
    startsAt = resetsAt
    resetsAt = nextReset(kind, startsAt)
  }
  return { startsAt, resetsAt, settled: period.carry, carry: 0 }
}

/** Rule 6: by the clock only a minute after the reset, and only while our clock agrees with the provider's. */
export const opensByClock = (period: Period, now: EpochMicros, context: PolicyContext): boolean =>
  context.clockAgrees &&
  now >= period.resetsAt + (context.constants.periodGraceMs + (context.driftMs ?? 0)) * 1_000

/** Charges the period, and the next one too where the call could reach the provider after the reset. */
export function charged(period: Period, credits: number, latestAt: EpochMicros, skewMs: number): Period {
  const crosses = latestAt + skewMs * 1_000 >= period.resetsAt
  return {
    ...period,
    settled: period.settled + credits,
    carry: crosses ? period.carry + credits : period.carry,
  }
}
