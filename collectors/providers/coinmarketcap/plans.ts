import type { PlanLimits } from '../../../core/ports/ledger.ts'
import { plan } from '../../../quota/plans.ts'

/** [1] Basic in 2021: 10,000 a month, 333 a day (MMM-cryptocurrency issue 88), 30 calls a minute [U]. */
const basic2021 = plan('basic-2021', 10_000, 333, 30)

/** Plans of a key, newest first. [V] seen in official documents or recorded answers, [1] one third party, [U] unverified. */
export const keyPlans: Readonly<Record<string, PlanLimits>> = {
  /** [V] `/v1/key/info` of two Basic keys, September 2026: 15,000 a month, no daily limit, 50 calls a minute. */
  'basic-2026': plan('basic-2026', 15_000, null, 50),
  'basic-2021': basic2021,
  /** [1] Basic in 2018-19: 10,000 a month and 333 a day [U], 10 calls a minute (JesseVent/crypto issue 39; 30 before that). */
  'basic-2018': plan('basic-2018', 10_000, 333, 10),
}

/** The smallest free plan there has been, until key/info has told the real one. */
export const keyFloor = basic2021
/** Keyless `/public-api`: nothing is billed [1]; the limit by address (error 1011) is not published [U]. */
export const keylessFloor = plan('keyless', null, null, 10)
