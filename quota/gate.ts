import type { EpochMicros, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { addMs } from '../core/time.ts'
import { periodStartOf } from './pages.ts'
import { latestOffsetMs, type Plan, type PlanInput, planNext } from './planner.ts'

export interface Sweep {
  readonly scope: string
  readonly provider: ProviderId
  readonly dataset: string
  /** What the planner wants to know besides what the ledger knows. */
  readonly wish: Pick<
    PlanInput,
    'refreshMs' | 'intervalMs' | 'pages' | 'costPerSweep' | 'reserveShare' | 'seed'
  >
}

/** Is it time for another sweep of this dataset? @throws CryptosError CRY_LEDGER_UNAVAILABLE and the like: then it is not */
export const isDue = async (ledger: Ledger, sweep: Sweep, now: EpochMicros): Promise<Plan> =>
  planNext(await inputOf(ledger, sweep, now))

/**
 * The same for the period that a scheduler's slot names. What counts is the slot's own time, not when its process came to run: the
 * tick begins before the planner's wait for the refresh is over, or a period after the one that it stands for. A page that failed
 * in an earlier period and may be tried once more comes first, as without a slot.
 * @throws CryptosError CRY_LEDGER_UNAVAILABLE and the like: then it is not
 */
export async function isSlotDue(
  ledger: Ledger,
  sweep: Sweep,
  { now, periodStart }: { readonly now: EpochMicros; readonly periodStart: EpochMicros },
): Promise<Plan> {
  const input = await inputOf(ledger, sweep, now)
  const { refreshMs } = sweep.wish
  const plan = planNext(input)
  if (plan.kind === 'due' && plan.periodStart < periodStartOf(now, refreshMs)) return plan
  const lastMoment = addMs(periodStart, refreshMs - 1)
  const soon = addMs(now, latestOffsetMs)
  const there = planNext({ ...input, now: soon < lastMoment ? soon : lastMoment, failedAt: null })
  if (there.kind === 'due') return { kind: 'due', periodStart }
  if (plan.kind !== 'due') return plan
  if (!there.isAfterFailure) return there
  // A failure is waited for by the clock: the slot's own time would never be past it, however often a scheduler comes back.
  if (isRecent(periodStart, input)) return { kind: 'due', periodStart }
  const reason = 'a later slot was tried and failed: only that one, and those after it, are asked again'
  return { kind: 'not-due', nextAt: there.nextAt, reason }
}

/** Not before the newest that was tried, or of the current or previous period: runs of long ago that are cleared must not all pay. */
function isRecent(periodStart: EpochMicros, { now, refreshMs, lastTried }: PlanInput): boolean {
  if (lastTried !== null && periodStart >= lastTried) return true
  return periodStart >= addMs(periodStartOf(now, refreshMs), -refreshMs)
}

async function inputOf(ledger: Ledger, sweep: Sweep, now: EpochMicros): Promise<PlanInput> {
  const [last, scopes] = await Promise.all([
    ledger.lastSlots(`${sweep.provider}/${sweep.dataset}`, now),
    ledger.status(now),
  ])
  const status = scopes.find(s => s.scope === sweep.scope)
  return {
    seed: `${sweep.provider}/${sweep.dataset}`,
    ...sweep.wish,
    now,
    status,
    lastAnswered: last.answered,
    lastTried: last.tried,
    failedAt: last.failedAt,
    failingSince: last.failingSince,
  }
}
