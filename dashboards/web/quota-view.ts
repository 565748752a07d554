import type { EpochMicros } from '../../core/brands.ts'
import { exitCodeOf, outcomes } from '../../core/outcomes.ts'
import type { ScopeStatus, Spending, WindowStatus } from '../../core/ports/ledger.ts'
import type { Run } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { toIsoMicros } from './times.ts'
import { isoOrNull, viewScope } from './views.ts'

/** What the quota is: scopes with who spent them, and what was skipped. Computed here once, for whoever shows it. */
export interface QuotaFacts {
  readonly scopes: readonly ScopeStatus[]
  readonly spending: readonly Spending[]
  /** Newest first. */
  readonly runs: readonly Run[]
  readonly now: EpochMicros
}

/** Skips that are told. */
const skipsShown = 50

export const viewQuotaStatus = ({ scopes, spending, runs, now }: QuotaFacts) => ({
  scopes: scopes.map(scope => ({
    ...viewScope(scope),
    forecast: { text: forecastText(scope), runsOutAt: isoOrNull(scope.runsOutAt) },
    spenders: spending.filter(s => s.scope === scope.scope).map(({ scope: _, ...spent }) => spent),
    unnamed: unnamedOf(scope, spending),
  })),
  skips: skipsOf(runs).slice(0, skipsShown).map(viewSkip),
  at: toIsoMicros(now),
})

/** How long the credits last, as a sentence without a beginning; where none are counted, that. */
export function forecastText({ windows, runsOutAt, frozen }: ScopeStatus): string {
  const hasCredits = windows.some(w => w.window !== 'minute' && w.limit !== null)
  if (!hasCredits) return 'no credits are counted'
  if (frozen !== null) return 'nothing is spent while it is frozen'
  return runsOutAt === null
    ? 'at this pace it lasts until the reset'
    : `at this pace it runs out at ${toIso(runsOutAt)}`
}

/** Credits of a window that no spender is named for; less than none where the provider billed less than the ledger had charged. */
export function unnamedOf(scope: ScopeStatus, spending: readonly Spending[]) {
  const named = spending.filter(s => s.scope === scope.scope)
  const rest = (window: WindowStatus['window'], of: 'today' | 'month') => ({
    credits:
      (scope.windows.find(w => w.window === window)?.used ?? 0) -
      named.reduce((sum, s) => sum + s[of].credits, 0),
  })
  return { today: rest('day', 'today'), month: rest('month', 'month') }
}

/** Runs that were skipped: nothing was wrong, and nobody was asked. */
export const skipsOf = (runs: readonly Run[]): readonly Run[] =>
  runs.filter(run => exitCodeOf(run.outcome) === 99)

/** `<DAG>/<run>` in its parts; a spender without a run is a name. */
function viewSkip({ endedAt, provider, dataset, outcome, reason, slot, runId, ...run }: Run) {
  const { spender = null, retryAt = null } = run
  const cut = spender?.indexOf('/') ?? -1
  return {
    at: toIsoMicros(endedAt),
    ...{ provider, dataset, outcome, meaning: outcomes[outcome].meaning, reason, spender },
    dag: spender === null || cut < 0 ? spender : spender.slice(0, cut),
    run: spender === null || cut < 0 ? null : spender.slice(cut + 1),
    ...{ retryAt: isoOrNull(retryAt), slot, runId },
  }
}
