import type { Credits, EpochMicros, ProviderId } from '../core/brands.ts'
import type { Ledger, ReserveDecision } from '../core/ports/ledger.ts'
import { slotOf } from './pages.ts'
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
    ledger.lastSlots(`${sweep.provider}/${sweep.dataset}`),
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
  })
}

export interface PageRequest {
  readonly sweep: Sweep
  readonly periodStart: EpochMicros
  readonly page: number
  readonly costMax: Credits
  readonly reservationId: string
  readonly now: EpochMicros
}

export type PagePermit = ReserveDecision & { readonly slot: string }

/** May this page be called now? Durable before it is answered. @throws CryptosError as above: then nothing may be sent */
export async function mayCall(ledger: Ledger, request: PageRequest): Promise<PagePermit> {
  const { scope, provider, dataset } = request.sweep
  const { reservationId, costMax, now } = request
  const slot = slotOf(provider, dataset, request.periodStart, request.page)
  const decision = await ledger.reserve({ scope, reservationId, costMax, slot, now })
  return { ...decision, slot }
}

export type SpendAnswer = PagePermit | Extract<Plan, { kind: 'not-due' }>

/** The whole story: may I spend this now? Not due is a skip with its own reason, different from denied by quota (rule 9). */
export async function maySpend(
  ledger: Ledger,
  request: Omit<PageRequest, 'periodStart'>,
): Promise<SpendAnswer> {
  const plan = await isDue(ledger, request.sweep, request.now)
  return plan.kind === 'due' ? mayCall(ledger, { ...request, periodStart: plan.periodStart }) : plan
}
