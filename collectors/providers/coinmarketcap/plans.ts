import type { PlanLimits } from '../../../core/ports/ledger.ts'
import { plans } from '../../../quota/plans.ts'

/** Plans of a key, newest first; the evidence stands beside each row. */
export const keyPlans: Readonly<Record<string, PlanLimits>> = {
  'basic-2026': plans['coinmarketcap/basic-2026'],
  'basic-2021': plans['coinmarketcap/basic-2021'],
  'basic-2018': plans['coinmarketcap/basic-2018'],
}

/** The smallest free plan there has been, until key/info has told the real one. */
export const keyFloor = plans['coinmarketcap/basic-2021']
export const keylessFloor = plans['coinmarketcap/keyless']
