import type { EpochMicros, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { type Plan, type PlanInput, planNext } from './planner.ts'

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
export async function isDue(ledger: Ledger, sweep: Sweep, now: EpochMicros): Promise<Plan> {
  const [last, scopes] = await Promise.all([
    ledger.lastSlots(`${sweep.provider}/${sweep.dataset}`, now),
    ledger.status(now),
  ])
  const status = scopes.find(s => s.scope === sweep.scope)
  return planNext({
    seed: `${sweep.provider}/${sweep.dataset}`,
    ...sweep.wish,
    now,
    status,
    lastAnswered: last.answered,
    lastTried: last.tried,
    failedAt: last.failedAt,
    failingSince: last.failingSince,
  })
}
