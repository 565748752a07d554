import type { EpochMicros } from '../core/brands.ts'
import type { ScopeStatus, WindowStatus } from '../core/ports/ledger.ts'
import type { Outcome } from '../core/outcomes.ts'
import { DAY, toIso } from '../core/time.ts'
import { count } from './plural.ts'

export interface Budget {
  /** Credits that may be spent now, after the reserve; null = no limit counts them. */
  readonly left: number | null
  /** Credits kept for people and alerts until the month's last 24 hours; not in `left`. */
  readonly kept: number
  /** When the window with the fewest comes back; null = no limit. */
  readonly resetsAt: EpochMicros | null
}

/** Pure. The narrowest of the credit windows. */
export function budgetOf(
  status: Pick<ScopeStatus, 'windows'> | undefined,
  reserveShare: number,
  now: EpochMicros,
): Budget {
  const budgets = (status?.windows ?? []).flatMap(window =>
    window.window === 'minute' ? [] : budgetOfWindow(window, reserveShare, now),
  )
  const least = budgets.toSorted((a, b) => a.left - b.left)[0]
  return least ?? { left: null, kept: 0, resetsAt: null }
}

function budgetOfWindow({ left, limit, resetsAt }: WindowStatus, reserveShare: number, now: EpochMicros) {
  if (left === null || limit === null) return []
  // As the planner keeps it: the last day may spend it.
  const isLastDay = (resetsAt - now) / 1_000 <= DAY
  const kept = isLastDay ? 0 : Math.min(left, Math.ceil(limit * reserveShare))
  return [{ left: left - kept, kept, resetsAt }]
}

export interface Shortage {
  readonly outcome: Outcome
  readonly reason: string
  readonly retryAt?: EpochMicros
}

/** Pure. Why a backfill of this cost must not begin; null = it may. */
export function shortageOf(
  credits: number,
  { left, kept, resetsAt }: Budget,
  status: Pick<ScopeStatus, 'frozen' | 'pausedUntil' | 'pausedWhy'> | undefined,
): Shortage | null {
  if (typeof status?.frozen === 'string')
    return { outcome: 'frozen', reason: `nothing was sent: spending is frozen: ${status.frozen}` }
  if (typeof status?.pausedUntil === 'number') {
    const reason = `nothing was sent: paused until ${toIso(status.pausedUntil)}: ${status.pausedWhy ?? ''}`
    return { outcome: 'denied-by-quota', reason, retryAt: status.pausedUntil }
  }
  if (left === null || resetsAt === null || credits <= left) return null
  const reserve = kept === 0 ? '' : `, beside ${kept} that are kept back`
  return {
    outcome: 'denied-by-quota',
    reason: `nothing was sent: it may cost ${count(credits, 'credit')}, and ${left} are left until ${toIso(resetsAt)}${reserve}`,
    retryAt: resetsAt,
  }
}
