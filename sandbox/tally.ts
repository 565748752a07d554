import type { EpochMicros } from '../core/brands.ts'
import { nextPeriodStart, periodStart } from './calendar.ts'
import type { Period } from './calendar.ts'
import type { SandboxProvider } from './types.ts'

/** Limits of one scope; null = none. */
export interface ScopeLimits {
  readonly minute: number | null
  readonly day: number | null
  readonly month: number | null
}

export interface PeriodUse {
  readonly period: Period
  readonly start: EpochMicros
  readonly resetsAt: EpochMicros
  /** Calls of a minute, credits of a day or month. */
  readonly limit: number | null
  readonly calls: number
  readonly credits: number
}

interface Tally {
  calls: number
  credits: number
}

/** Calls and credits of one scope by UTC minute (the last two hours), day and month (all). */
export class ScopeTally {
  readonly provider: SandboxProvider
  readonly limits: ScopeLimits
  readonly periods: Record<Period, Map<EpochMicros, Tally>> = {
    minute: new Map(),
    day: new Map(),
    month: new Map(),
  }
  busiest: { start: EpochMicros; tally: Tally } | null = null
  foreignCredits = 0
  constructor(provider: SandboxProvider, limits: ScopeLimits) {
    this.provider = provider
    this.limits = limits
  }

  add(at: EpochMicros, calls: number, credits: number): void {
    for (const period of ['minute', 'day', 'month'] as const) {
      const start = periodStart(period, at)
      const tally = this.periods[period].get(start) ?? { calls: 0, credits: 0 }
      tally.calls += calls
      tally.credits += credits
      this.periods[period].set(start, tally)
      if (period !== 'minute') continue
      if (tally.calls >= (this.busiest?.tally.calls ?? 0)) this.busiest = { start, tally }
      dropOldest(this.periods.minute, 120)
    }
  }

  use(period: Period, start: EpochMicros): PeriodUse {
    const tally = this.periods[period].get(start) ?? { calls: 0, credits: 0 }
    const resetsAt = nextPeriodStart(period, start)
    return { period, start, resetsAt, limit: this.limits[period], ...tally }
  }

  all(period: Period): PeriodUse[] {
    return [...this.periods[period].keys()].map(start => this.use(period, start))
  }
}

function dropOldest<K, V>(map: Map<K, V>, keep: number): void {
  for (const key of map.keys()) {
    if (map.size <= keep) return
    map.delete(key)
  }
}
