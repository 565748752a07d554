import type { EpochMicros } from '../core/brands.ts'
import type { Outcome } from '../core/outcomes.ts'
import { addMs, DAY, HOUR } from '../core/time.ts'
import { pageName, pagesOf } from '../collectors/assets.ts'
import { collectPage } from '../collectors/poll.ts'
import { publishAgainMs, publishAll } from '../collectors/publish-own.ts'
import type { PageResult, PollPorts } from '../collectors/poll-types.ts'
import type { AssetRef, Dataset, HistoryShape, Page, TimeRange } from '../collectors/provider.ts'
import { periodStartOf, slotOf } from '../quota/pages.ts'
import { count } from './plural.ts'
import type { Route } from './routes.ts'

/** Past prices of some assets, in calls that a provider takes. */
export interface BackfillPlan {
  readonly route: Route
  readonly dataset: Dataset
  readonly pages: readonly Page[]
}

export interface BackfillResult {
  /**
   * How it ended; `collected` = every page is answered, now or by an earlier run; `partial` = the same, and a page that was asked now
   * lacks days.
   */
  readonly outcome: Outcome
  readonly reason: string
  /** Pages that are answered, now or before. */
  readonly done: number
  /** Pages that were asked now. */
  readonly asked: number
  /** Of those, answered without a price of each asked day. */
  readonly partial: number
  readonly records: number
  readonly credits: number
  readonly retryAt?: EpochMicros
}

/**
 * The range in pieces that one call may span, oldest first. The cuts lie on a grid of their own, so that another range over the same
 * days asks for the same pieces, and what was paid is not paid again.
 */
export function windowsOf(range: TimeRange, widthMs: number): readonly TimeRange[] {
  const width = widthMs * 1_000
  const windows: TimeRange[] = []
  for (let start = Math.floor(range.from / width) * width; start < range.to; start += width) {
    const from = Math.max(start, range.from) as EpochMicros
    const to = Math.min(start + width, range.to) as EpochMicros
    windows.push({ from, to })
  }
  return windows
}

/** A day's price is there so long after its end, where the provider does not say. */
const readyMsDefault = HOUR

/** Days that may be asked for: whole UTC days from `first` (null = the provider's beginning) to before `end`. */
export interface OfferedDays {
  readonly first: EpochMicros | null
  readonly end: EpochMicros
}

/**
 * The day that still runs would be kept half, and one that ended a moment ago would be missing for good: its slot is answered. The
 * provider counts its reach back from the moment of the call, so the day on the border, which it would refuse, is left out.
 */
export function offeredDays(
  { reachMs, readyMs = readyMsDefault }: Pick<HistoryShape, 'reachMs' | 'readyMs'>,
  now: EpochMicros,
): OfferedDays {
  return {
    first: reachMs === null ? null : periodStartOf(addMs(now, DAY - reachMs), DAY),
    end: periodStartOf(addMs(now, -readyMs), DAY),
  }
}

/** One page for each window and group of assets. */
export function backfillPages(
  dataset: Dataset,
  refs: readonly AssetRef[],
  currency: string,
  range: TimeRange,
): readonly Page[] {
  const windows = windowsOf(range, dataset.history?.rangeMaxMs ?? 0)
  const pages = pagesOf(dataset, refs, currency)
  return windows.flatMap(window => pages.map(page => ({ ...page, range: window })))
}

/** What is paid for once, whoever asks. */
export const backfillSlot = (
  { route, dataset }: Pick<BackfillPlan, 'route' | 'dataset'>,
  page: Page,
  now: EpochMicros,
): string =>
  slotOf(route.provider.id, dataset.id, page.range?.from ?? now, { index: 0, name: pageName(page) })

const earlier = ({ done, asked }: { readonly done: number; readonly asked: number }): string =>
  done === asked ? '' : `, ${done - asked} were answered before`

/** Outcomes after which the next page may be asked. */
const goesOn: ReadonlySet<Outcome> = new Set([
  'collected',
  'partial',
  'published',
  'already-done',
  'payload-invalid',
])

/**
 * Asks page by page, each with a slot and a permit of its own, until all are answered or one can not be: then the rest waits for
 * another run, which goes on where this one ended. Never throws.
 */
export async function backfill(
  ports: PollPorts,
  { route, dataset, pages }: BackfillPlan,
  signal: AbortSignal,
  onPage: (page: Page, result: PageResult) => void,
): Promise<BackfillResult> {
  const total = { done: 0, asked: 0, partial: 0, records: 0, credits: 0 }
  const answered: string[] = []
  /** What is said of answers that could not be published; empty where all are. */
  const stuckOf = async (): Promise<string> => {
    const { waiting, why } = await publishAll(ports, answered, signal)
    const what = `${count(waiting, 'answer')} in the outbox for the same command to publish, without a call`
    return waiting === 0 ? '' : `; ${what}: ${why}`
  }
  let lacks = ''
  for (const [index, page] of pages.entries()) {
    const slot = backfillSlot({ route, dataset }, page, ports.clock.now())
    const result = await collectPage(ports, { source: route.poll, dataset, page, slot, signal })
    onPage(page, result)
    total.records += result.records
    total.credits += result.credits
    if (result.outcome !== 'already-done') total.asked += 1
    if (!goesOn.has(result.outcome)) {
      const left = `${pages.length - index} of ${pages.length} calls are left; the same command goes on there${await stuckOf()}`
      const retry = result.retryAt === undefined ? {} : { retryAt: result.retryAt }
      return { outcome: result.outcome, reason: `${result.reason}; ${left}`, ...total, ...retry }
    }
    total.done += 1
    if (result.outcome !== 'payload-invalid') answered.push(slot)
    if (result.outcome !== 'partial') continue
    total.partial += 1
    lacks ||= `; ${result.reason}`
  }
  const more = total.partial > 1 ? `, and ${count(total.partial - 1, 'more answer')} with days missing` : ''
  const reason = `${count(total.records, 'past price')} by ${count(total.asked, 'call')}${earlier(total)}${lacks}${more}`
  const stuck = await stuckOf()
  if (stuck !== '') {
    const retryAt = addMs(ports.clock.now(), publishAgainMs)
    return { outcome: 'unpublished', reason: `${reason}${stuck}`, ...total, retryAt }
  }
  return {
    outcome: total.partial > 0 ? 'partial' : total.asked === 0 ? 'already-done' : 'collected',
    reason,
    ...total,
  }
}
