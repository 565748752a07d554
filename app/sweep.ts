import { createHash } from 'node:crypto'
import type { EpochMicros } from '../core/brands.ts'
import type { Outcome } from '../core/outcomes.ts'
import { assetRef, pagesOf } from '../collectors/assets.ts'
import {
  collectPage,
  type PageResult,
  type PollPorts,
  type Source as PollSource,
} from '../collectors/poll.ts'
import type { Dataset, Page } from '../collectors/provider.ts'
import { isDue } from '../quota/gate.ts'
import { periodStartOf, slotOf } from '../quota/pages.ts'
import type { Config } from './config/load.ts'
import type { Route } from './routes.ts'
import type { Source } from './source.ts'

export interface SweepTask {
  readonly route: Route
  readonly dataset: Dataset
  readonly config: Config
  readonly source: Source
  readonly signal: AbortSignal
  /** Period of the slot, as a scheduler names it; then the planner is not asked. `now` = the current period. */
  readonly period?: EpochMicros | 'now'
}

export interface SweepResult {
  readonly provider: string
  readonly dataset: string
  readonly outcome: Outcome
  readonly reason: string
  readonly retryAt?: EpochMicros
  readonly pages: readonly PageResult[]
}

/** The pages of a dataset for the wanted assets that the provider has. */
export function wantedPages(route: Route, dataset: Dataset, config: Config): readonly Page[] {
  const refs = config.assetIds
    .filter(id => route.provider.assets.has(id))
    .map(id => assetRef(route.provider, id))
  return pagesOf(dataset, refs, config.currency)
}

/** Names what a page asks for, so that a page with other assets is another slot. */
export function pageName(page: Page): string {
  const asked = `${page.currency}|${page.assets.map(a => a.sourceId).join(',')}`
  return createHash('sha256').update(asked).digest('hex').slice(0, 8)
}

export const pollSource = (route: Route, source: Source): PollSource => {
  const { secret } = route
  return {
    provider: route.provider,
    access: { ...route.access, baseUrl: route.baseUrl },
    scope: route.scope.scope,
    origin: source.origin,
    ...(secret === undefined ? {} : { key: () => secret.value }),
  }
}

/** Due or not; if so, all pages of the dataset, one slot each. Never throws: the outcome says how it ended. */
export async function sweep(ports: PollPorts, task: SweepTask): Promise<SweepResult> {
  const { route, dataset, config } = task
  const names = { provider: route.provider.id, dataset: dataset.id }
  const pages = wantedPages(route, dataset, config)
  if (pages.length === 0)
    return {
      ...names,
      outcome: 'source-disabled',
      reason: `${route.provider.title} has none of the wanted assets`,
      pages: [],
    }
  const when = await periodOf(ports, task, pages)
  if ('outcome' in when) return { ...names, ...when, pages: [] }
  const collect = (page: Page, index: number): Promise<PageResult> => {
    const slot = `${slotOf(route.provider.id, dataset.id, when.period, index)}.${pageName(page)}`
    return collectPage(ports, {
      source: pollSource(route, task.source),
      dataset,
      page,
      slot,
      signal: task.signal,
    })
  }
  const results = await Promise.all(pages.map(collect))
  return { ...names, ...worst(results), pages: results }
}

type NotDue = Pick<SweepResult, 'outcome' | 'reason' | 'retryAt'>

async function periodOf(
  ports: PollPorts,
  task: SweepTask,
  pages: readonly Page[],
): Promise<{ period: EpochMicros } | NotDue> {
  const { route, dataset, config, period } = task
  const now = ports.clock.now()
  if (period !== undefined)
    return { period: periodStartOf(period === 'now' ? now : period, dataset.refreshMs) }
  const wish = {
    refreshMs: dataset.refreshMs,
    intervalMs: Math.max(dataset.intervalMs, config.minIntervalSeconds * 1_000),
    pages: pages.length,
    costPerSweep: pages.reduce((sum, page) => sum + dataset.costMax(page), 0),
    reserveShare: config.reserveShare,
  }
  try {
    const plan = await isDue(
      ports.ledger,
      { scope: route.scope.scope, provider: route.provider.id, dataset: dataset.id, wish },
      now,
    )
    return plan.kind === 'due'
      ? { period: plan.periodStart }
      : { outcome: 'not-due', reason: plan.reason, retryAt: plan.nextAt }
  } catch (error) {
    return {
      outcome: 'ledger-unavailable',
      reason: `no call was made: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

/** From what a person must see first to what needs no one. */
const order: readonly Outcome[] = [
  'misconfigured',
  'unauthorized',
  'bad-request',
  'failed',
  'ledger-unavailable',
  'aborted',
  'payload-invalid',
  'transport-error',
  'provider-error',
  'rate-limited',
  'in-flight',
  'quota-exhausted',
  'frozen',
  'denied-by-quota',
  'partial',
  'collected',
  'published',
  'slot-exhausted',
  'source-disabled',
  'already-done',
  'not-due',
]

function worst(results: readonly PageResult[]): NotDue {
  const rank = (r: PageResult): number => order.indexOf(r.outcome)
  const first = [...results].sort((a, b) => rank(a) - rank(b))[0]
  if (!first) return { outcome: 'source-disabled', reason: 'nothing was asked' }
  const same = results.filter(r => r.outcome === first.outcome).length
  const reason = results.length === 1 ? first.reason : `${first.reason} (${same} of ${results.length} pages)`
  return {
    outcome: first.outcome,
    reason,
    ...(first.retryAt === undefined ? {} : { retryAt: first.retryAt }),
  }
}
