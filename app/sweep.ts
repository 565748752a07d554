import type { EpochMicros } from '../core/brands.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import { assetRef } from '../collectors/assets.ts'
import { collectDataset, type DatasetResult } from '../collectors/dataset.ts'
import type { PageResult, PollPorts } from '../collectors/poll-types.ts'
import type { AssetRef, Dataset } from '../collectors/provider.ts'
import { periodStartOf } from '../quota/pages.ts'
import type { Config } from './config/load.ts'
import type { Route } from './routes.ts'

export interface SweepTask {
  readonly route: Route
  readonly dataset: Dataset
  readonly config: Config
  readonly signal: AbortSignal
  /** Time of the slot, as a scheduler names it; then the planner is not asked. `now` = the current period. */
  readonly period?: EpochMicros | 'now'
}

export interface SweepResult {
  readonly provider: string
  readonly dataset: string
  readonly outcome: Outcome
  readonly reason: string
  readonly retryAt?: EpochMicros
  readonly code?: ErrorCode
  readonly pages: readonly PageResult[]
}

/** The wanted assets that the provider has, by its own ids. */
export const wantedAssets = ({ provider }: Route, config: Config): readonly AssetRef[] =>
  config.assetIds.filter(id => provider.assets.has(id)).map(id => assetRef(provider, id))

/** One sweep of a dataset with its one outcome: the worst of its pages. Never throws. */
export async function sweep(ports: PollPorts, task: SweepTask): Promise<SweepResult> {
  const { route, dataset, config, signal, period } = task
  const names = { provider: route.provider.id, dataset: dataset.id, pages: [] }
  const assets = wantedAssets(route, config)
  if (assets.length === 0)
    return {
      ...names,
      outcome: 'source-disabled',
      reason: `${route.provider.title} has none of the wanted assets`,
    }
  const { currencies } = route.provider
  if (currencies && !currencies.includes(config.currency)) {
    const reason = `${route.provider.title} gives prices in ${currencies.join(', ')} only, not in ${config.currency}`
    return { ...names, outcome: 'source-disabled', reason }
  }
  const at = period === 'now' ? ports.clock.now() : period
  const result = await collectDataset(ports, {
    source: route.poll,
    dataset,
    assets,
    currency: config.currency,
    reserveShare: config.reserveShare,
    intervalMs: Math.max(dataset.intervalMs, config.minIntervalSeconds * 1_000),
    ...(at === undefined ? {} : { periodStart: periodStartOf(at, dataset.refreshMs) }),
    signal,
  })
  if ('retryAt' in result) return { ...names, ...(await notDue(ports, task, result)) }
  if (result.kind === 'no-ledger') return { ...names, outcome: 'ledger-unavailable', reason: result.reason }
  return { ...names, ...worst(result.pages), pages: result.pages }
}

/** A freeze is told before the plan: no waiting ends it. */
async function notDue(
  { ledger, clock }: PollPorts,
  { route }: SweepTask,
  { kind, reason, retryAt }: Extract<DatasetResult, { readonly retryAt: EpochMicros }>,
): Promise<Pick<SweepResult, 'outcome' | 'reason' | 'retryAt'>> {
  const scopes = await ledger.status(clock.now()).catch(() => [])
  const frozen = scopes.find(s => s.scope === route.poll.scope)?.frozen
  if (typeof frozen === 'string') return { outcome: 'frozen', reason: frozen }
  return { outcome: kind, reason, retryAt }
}

/** From what a person must see first to what needs no one. */
export const outcomeOrder: readonly Outcome[] = [
  ...([
    'misconfigured',
    'unauthorized',
    'bad-request',
    'failed',
    'ledger-unavailable',
    'aborted',
    'payload-invalid',
  ] as const),
  ...([
    'transport-error',
    'provider-error',
    'rate-limited',
    'backing-off',
    'in-flight',
    'quota-exhausted',
    'frozen',
    'denied-by-quota',
    'slot-exhausted',
  ] as const),
  ...(['partial', 'collected', 'published', 'source-disabled', 'already-done', 'not-due'] as const),
]

export function worst(
  results: readonly PageResult[],
): Pick<SweepResult, 'outcome' | 'reason' | 'retryAt' | 'code'> {
  const [first] = results.toSorted(
    (a, b) => outcomeOrder.indexOf(a.outcome) - outcomeOrder.indexOf(b.outcome),
  )
  if (!first) return { outcome: 'source-disabled', reason: 'nothing was asked' }
  const same = results.filter(r => r.outcome === first.outcome).length
  const reason = results.length === 1 ? first.reason : `${first.reason} (${same} of ${results.length} pages)`
  return {
    outcome: first.outcome,
    reason,
    ...(first.retryAt === undefined ? {} : { retryAt: first.retryAt }),
    ...(first.code === undefined ? {} : { code: first.code }),
  }
}
