import type { EpochMicros } from '../core/brands.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import { collectDataset, type DatasetResult } from '../collectors/dataset.ts'
import type { PageResult, PollPorts } from '../collectors/poll-types.ts'
import type { Dataset } from '../collectors/provider.ts'
import { pageName } from '../collectors/assets.ts'
import { noteGaps } from '../collectors/poll.ts'
import { periodStartOf, slotOf } from '../quota/pages.ts'
import type { Config } from './config/load.ts'
import { count } from './plural.ts'
import type { Route } from './routes.ts'
import { costPerRound, pagesFor } from './wanted.ts'

export interface SweepTask {
  readonly route: Route
  readonly dataset: Dataset
  readonly config: Config
  readonly signal: AbortSignal
  /** Time of the slot, as a scheduler names it; then the planner is not asked. `now` = the current period. */
  readonly period?: EpochMicros | 'now'
  /** With `period`: the planner is asked all the same. */
  readonly ifDue?: boolean
  /** Of a run that stands for no period: its slots are its own. */
  readonly run?: string
}

export interface SweepResult {
  readonly provider: string
  readonly dataset: string
  readonly outcome: Outcome
  readonly reason: string
  readonly retryAt?: EpochMicros
  readonly code?: ErrorCode
  readonly pages: readonly PageResult[]
  /** The run that stands for a sweep without pages, where it was noted. */
  readonly run?: { readonly slot: string; readonly runId: string }
}

/** One sweep of a dataset with its one outcome: the worst of its pages. Never throws. */
export async function sweep(ports: PollPorts, task: SweepTask): Promise<SweepResult> {
  const { route, dataset, config, signal, period } = task
  const names = { provider: route.provider.id, dataset: dataset.id, pages: [] }
  const pages = pagesFor(route, dataset, config)
  if ('none' in pages) return { ...names, outcome: 'source-disabled', reason: pages.none }
  const at = period === 'now' ? ports.clock.now() : period
  const result = await collectDataset(ports, {
    source: route.poll,
    dataset,
    pages,
    costPerRound: costPerRound(route, config),
    reserveShare: config.reserveShare,
    intervalMs: Math.max(dataset.intervalMs, config.minIntervalSeconds * 1_000),
    ...(at === undefined ? {} : { periodStart: periodStartOf(at, dataset.refreshMs) }),
    ...(task.ifDue === true ? { ifDue: true } : {}),
    ...(task.run === undefined ? {} : { run: task.run }),
    signal,
  })
  if ('retryAt' in result) {
    const end = await notDue(ports, task, result)
    const isDenied = end.outcome === 'frozen' || end.outcome === 'denied-by-quota' || result.isUsedUp === true
    if (isDenied) await tellDenied(ports, task, end.reason)
    return { ...names, ...end }
  }
  if (result.kind === 'no-ledger') return { ...names, outcome: 'ledger-unavailable', reason: result.reason }
  return { ...names, ...worst(result.pages), pages: result.pages }
}

/**
 * Nobody was asked, and not because it is too early: what would have come is told as denied, once for each time that a sweep was
 * wanted. Never throws.
 */
export async function tellDenied(ports: PollPorts, task: SweepTask, reason: string): Promise<void> {
  const { route, dataset, config, signal } = task
  const pages = pagesFor(route, dataset, config)
  if ('none' in pages || !ports.reportGaps) return
  const periodStart = periodStartOf(ports.clock.now(), dataset.intervalMs)
  for (const [index, page] of pages.entries()) {
    const slot = slotOf(route.provider.id, dataset.id, periodStart, { index, name: pageName(page) })
    const result = {
      outcome: 'denied-by-quota',
      reason,
      slot,
      runId: ports.newId(),
      credits: 0,
      records: 0,
    } as const
    const startedAt = ports.clock.now()
    await noteGaps(ports, { source: route.poll, dataset, page, slot, signal }, { result, startedAt })
  }
}

/** A freeze is told before the plan: no waiting ends it. So is a pause that lasts longer than the plan waits. */
async function notDue(
  { ledger, clock }: PollPorts,
  { route }: SweepTask,
  { kind, reason, retryAt }: Extract<DatasetResult, { readonly retryAt: EpochMicros }>,
): Promise<Pick<SweepResult, 'outcome' | 'reason' | 'retryAt'>> {
  const scopes = await ledger.status(clock.now()).catch(() => [])
  const status = scopes.find(s => s.scope === route.poll.scope)
  if (typeof status?.frozen === 'string') return { outcome: 'frozen', reason: status.frozen }
  const { pausedUntil = null, pausedWhy = null } = status ?? {}
  if (pausedUntil !== null && pausedUntil > retryAt)
    return { outcome: 'denied-by-quota', reason: pausedWhy ?? reason, retryAt: pausedUntil }
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
    'unpublished',
  ] as const),
  ...([
    'transport-error',
    'provider-error',
    'stale',
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

/** The sweep or page that a person must see first. */
export const worstOf = <T extends { readonly outcome: Outcome }>(ended: readonly T[]): T | undefined =>
  ended.toSorted((a, b) => outcomeOrder.indexOf(a.outcome) - outcomeOrder.indexOf(b.outcome))[0]

/** What the pages have to say together. */
function reasonOf(worstPage: PageResult, pages: readonly PageResult[]): string {
  const same = pages.filter(page => page.outcome === worstPage.outcome)
  if (pages.length === 1) return worstPage.reason
  if (worstPage.outcome !== 'collected' || same.length < pages.length)
    return `${worstPage.reason} (${same.length} of ${pages.length} pages)`
  const records = pages.reduce((sum, page) => sum + page.records, 0)
  return `${count(records, 'price')} by ${count(pages.length, 'call')}`
}

/** The one outcome of the pages of a sweep. */
export function worst(
  results: readonly PageResult[],
): Pick<SweepResult, 'outcome' | 'reason' | 'retryAt' | 'code'> {
  const first = worstOf(results)
  if (!first) return { outcome: 'source-disabled', reason: 'nothing was asked' }
  return {
    outcome: first.outcome,
    reason: reasonOf(first, results),
    ...(first.retryAt === undefined ? {} : { retryAt: first.retryAt }),
    ...(first.code === undefined ? {} : { code: first.code }),
  }
}
