import { costMaxOf } from '../../collectors/poll-types.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { type BackfillPlan, backfillSlot } from '../backfill.ts'
import { type Budget, budgetOf, type Shortage, shortageOf } from '../backfill-cost.ts'
import type { Collecting } from '../collecting.ts'
import { count } from '../plural.ts'
import { done, type Result } from '../result.ts'
import type { Context } from './command.ts'

/** What a backfill would ask and cost. */
export interface Cost {
  /** Calls that are needed in all, and those of them that an earlier run paid, as long as the ledger keeps slots. */
  readonly calls: number
  readonly answered: number
  /** The dearest cost of the others. */
  readonly credits: number
  readonly budget: Budget
  /** Why it must not begin; null = the credits are there. */
  readonly shortage: Shortage | null
}

/** Calls nobody. @throws CryptosError of the ledger */
export async function costOf(
  { clock, config }: Context,
  { ledger }: Collecting,
  plan: BackfillPlan,
): Promise<Cost> {
  const { route, dataset, pages } = plan
  const now = clock.now()
  const slots = pages.map(page => backfillSlot(plan, page, now))
  const paid = await ledger.answered(slots)
  const open = pages.filter((_, index) => !paid.has(slots[index] ?? ''))
  const credits = open.reduce((sum, page) => sum + costMaxOf({ source: route.poll, dataset, page }), 0)
  const status = (await ledger.status(now)).find(s => s.scope === route.poll.scope)
  const budget = budgetOf(status, config.reserveShare, now)
  const shortage = shortageOf(credits, budget, status)
  return { calls: pages.length, answered: pages.length - open.length, credits, budget, shortage }
}

/** As the JSON of the command has it. */
export const costJson = ({ budget, shortage, ...cost }: Cost, { route, dataset }: BackfillPlan) => ({
  provider: route.provider.id,
  dataset: dataset.id,
  ...cost,
  left: budget.left,
  kept: budget.kept,
  isEnough: shortage === null,
  ...(shortage?.retryAt === undefined ? {} : { retryAt: toIsoMicros(shortage.retryAt) }),
})

/** The result of a dry run. */
export function tellCost(cost: Cost, plan: BackfillPlan): Result {
  const { calls, answered, credits, budget, shortage } = cost
  const left = budget.left === null ? 'which no limit counts' : `of ${budget.left} that are left`
  const kept = budget.kept === 0 ? '' : ` (${budget.kept} more are kept back)`
  const paid = answered === 0 ? '' : `, ${answered} of them answered before`
  const text = `${count(calls, 'call')}${paid}, at most ${count(credits, 'credit')} ${left}${kept}. Nothing was sent.`
  const reason = shortage?.reason ?? text
  return done(text, { reason, ...costJson(cost, plan) })
}
