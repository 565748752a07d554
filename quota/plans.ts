import type { PlanLimits } from '../core/ports/ledger.ts'

/**
 * Limits of one plan, as a provider's folder states them: the floor that a scope is opened with, until the provider has told its own.
 * `null` only where the provider documents (or shows) that there is no such limit, never because nobody knows it.
 */
export function plan(
  name: string,
  creditsPerMonth: number | null,
  creditsPerDay: number | null,
  callsPerMinute: number,
): PlanLimits {
  return { plan: name, creditsPerMonth, creditsPerDay, callsPerMinute }
}
