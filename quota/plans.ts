import type { PlanLimits } from '../core/ports/ledger.ts'

/**
 * Limits of plans as data: the floor that a scope is opened with, until the provider has told its own. `null` only where the
 * provider documents (or shows) that there is no such limit. A plan that nobody knows gets `unknown`, never "no limit".
 * [V] seen in official documents or recorded answers, [1] one third party, [U] unverified: raise it by configuration.
 */
export const plans = {
  /** [V] `/v1/key/info` of two Basic keys, September 2026: 15,000 a month, no daily limit, 50 calls a minute. */
  'coinmarketcap/basic-2026': plan('basic-2026', 15_000, null, 50),
  /** [1] Basic in 2021: 10,000 a month, 333 a day (MMM-cryptocurrency issue 88), 30 calls a minute [U]. */
  'coinmarketcap/basic-2021': plan('basic-2021', 10_000, 333, 30),
  /** [1] Basic in 2018-19: 10,000 a month and 333 a day [U], 10 calls a minute (JesseVent/crypto issue 39; 30 before that). */
  'coinmarketcap/basic-2018': plan('basic-2018', 10_000, 333, 10),
  /** Keyless `/public-api`: nothing is billed [1]; the limit by address (error 1011) is not published [U]. */
  'coinmarketcap/keyless': plan('keyless', null, null, 10),
  /** [V] counter max 15, decay 0.33 a second in the documents; 1 call a second was measured as fine. No credits. */
  'kraken/keyless': plan('keyless', null, null, 60),
  /** [V] 10 calls a second and address, burst 15. No credits. */
  'coinbase/keyless': plan('keyless', null, null, 600),
  /** [V] 20,000 calls a month by the official client; the minute [U]. */
  'coinpaprika/keyless': plan('keyless', 20_000, null, 10),
  /** A plan that is not in this table: the smallest of all that were seen. */
  unknown: plan('unknown', 10_000, 333, 10),
} as const satisfies Record<string, PlanLimits>

type PlanName = keyof typeof plans

/** Limits of a plan by its name; an unknown one has the conservative floor. */
export const planLimits = (name: string): PlanLimits =>
  Object.hasOwn(plans, name) ? plans[name as PlanName] : plans.unknown

/** One row of limits; a provider's folder makes its own by it. */
export function plan(
  name: string,
  creditsPerMonth: number | null,
  creditsPerDay: number | null,
  callsPerMinute: number,
): PlanLimits {
  return { plan: name, creditsPerMonth, creditsPerDay, callsPerMinute }
}
