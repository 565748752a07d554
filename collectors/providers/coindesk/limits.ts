import type { PlanLimits } from '../../../core/ports/ledger.ts'
import { plan } from '../../../quota/plans.ts'

/** No limit was ever published [U]; prices changed once a minute, so 10 calls are plenty. */
export const bpiLimits: PlanLimits = plan('bpi', null, null, 10)

/**
 * What keys were seen to have; CoinDesk publishes no numbers of its subscriptions. The first is the floor.
 * [1] a key in January 2026: 11,000 a month, 7,500 a day, 3,000 an hour, 300 a minute, 20 a second.
 * [1] an answer of 2020 (min-api): 75,000 a month, 10,000 a day, 3,000 an hour, 300 a minute, 20 a second.
 * The hour of 3,000 calls is kept as 50 a minute: the ledger counts minutes, days and months.
 */
export const dataPlans = {
  'key-2026-01': plan('key-2026-01', 11_000, 7_500, 50),
  'min-api-2020': plan('min-api-2020', 75_000, 10_000, 50),
} as const satisfies Record<string, PlanLimits>
