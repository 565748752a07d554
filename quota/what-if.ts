import type { PlanLimits } from '../core/ports/ledger.ts'
import { DAY, SECOND } from '../core/time.ts'
import { minuteInterval } from './planner.ts'
import { defaultConstants, lateMs } from './policy/constants.ts'

export interface WhatIfInput {
  readonly limits: PlanLimits
  readonly assets: number
  /** Assets a call. */
  readonly pageSize: number
  readonly creditsPerPage?: number
  readonly intervalMs: number
  readonly refreshMs: number
  readonly reserveShare?: number
  /** Nothing else uses the key: no guard. */
  readonly owned?: boolean
}

export interface WhatIf {
  readonly feasible: boolean
  /** Wanted over possible: 3.0 = three times too much. */
  readonly factor: number
  /** Shortest interval that is never denied, in whole seconds. */
  readonly bestIntervalMs: number
  readonly creditsPerMonth: number
  readonly limitedBy: 'refresh' | 'minute' | 'day' | 'month'
  readonly sentence: string
}

const monthMs = 31 * DAY
/** Calls around a reset count in both periods, and the new one opens a little late. */
const borderMs = defaultConstants.periodGraceMs + lateMs(defaultConstants) + defaultConstants.skewMs

/** Answers before a deploy: can a plan carry so many assets so often? One that it calls feasible never meets a denial. */
export function whatIf(input: WhatIfInput): WhatIf {
  const pages = Math.max(1, Math.ceil(input.assets / input.pageSize))
  const cost = pages * (input.creditsPerPage ?? 1)
  const bounds = boundsOf(input, pages, cost)
  const worst = bounds.reduce((a, b) => (b.intervalMs > a.intervalMs ? b : a))
  const bestIntervalMs = Math.ceil(worst.intervalMs / SECOND) * SECOND
  const factor = worst.intervalMs / input.intervalMs
  const feasible = input.intervalMs >= worst.intervalMs
  const creditsPerMonth = Math.ceil((monthMs / Math.max(input.intervalMs, 1)) * cost)
  const facts = { feasible, factor, bestIntervalMs, creditsPerMonth, limitedBy: worst.by }
  return { ...facts, sentence: sentenceOf(input, facts) }
}

interface Bound {
  readonly by: WhatIf['limitedBy']
  readonly intervalMs: number
}

function boundsOf(input: WhatIfInput, pages: number, cost: number): readonly Bound[] {
  const { limits, owned = true, reserveShare = 0 } = input
  const guard = owned ? 0 : defaultConstants.guardShare
  const bound = (by: 'day' | 'month', limit: number | null, periodMs: number): Bound[] => {
    if (limit === null || cost === 0) return []
    const sweeps = Math.floor((limit - Math.ceil(limit * guard) - Math.ceil(limit * reserveShare)) / cost)
    return [{ by, intervalMs: sweeps <= 1 ? Number.POSITIVE_INFINITY : (periodMs + borderMs) / (sweeps - 1) }]
  }
  return [
    { by: 'refresh', intervalMs: input.refreshMs },
    {
      by: 'minute',
      intervalMs:
        pages > limits.callsPerMinute
          ? Number.POSITIVE_INFINITY
          : minuteInterval(pages, limits.callsPerMinute),
    },
    ...bound('day', limits.creditsPerDay, DAY),
    ...bound('month', limits.creditsPerMonth, monthMs),
  ]
}

function sentenceOf(input: WhatIfInput, facts: Omit<WhatIf, 'sentence'>): string {
  const wish = `${input.assets} coins every ${input.intervalMs / SECOND} s on ${input.limits.plan}`
  if (!Number.isFinite(facts.bestIntervalMs))
    return `${wish}: not possible, the ${facts.limitedBy} is too small for one sweep`
  const best = `the best possible interval is ${facts.bestIntervalMs / SECOND} s`
  if (facts.feasible) return `${wish}: fits, ${facts.creditsPerMonth} credits a month; ${best}`
  if (facts.limitedBy === 'refresh')
    return `${wish}: the data change only every ${input.refreshMs / SECOND} s; ${best}`
  return `${wish}: ${facts.factor.toFixed(1)}x too much; ${best}`
}
