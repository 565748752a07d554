import type { EpochMicros } from '../core/brands.ts'
import { isDue, isSlotDue, type Sweep } from '../quota/gate.ts'
import { slotOf } from '../quota/pages.ts'
import { toCryptosError } from '../core/errors.ts'
import { pageName } from './assets.ts'
import { collectPage } from './poll.ts'
import { costMaxOf, type PageResult, type PollPorts, type Source } from './poll-types.ts'
import type { Dataset, Page } from './provider.ts'

export interface DatasetTask {
  readonly source: Source
  readonly dataset: Dataset
  /** Of one sweep, as `pagesOf` makes them. */
  readonly pages: readonly Page[]
  /** Credits of a round over every dataset that shares the scope; that of this sweep where it is alone. */
  readonly costPerRound?: number
  /** Share of the credits kept back until the period's last day. */
  readonly reserveShare: number
  /** Wanted time between two sweeps, in place of the dataset's own. */
  readonly intervalMs?: number
  /** Start of the period to ask for, whatever the planner says: a scheduler's slot. */
  readonly periodStart?: EpochMicros
  /** With `periodStart`: the planner is asked all the same. */
  readonly ifDue?: boolean
  /** Of a run that stands for no period: its slots are its own. */
  readonly run?: string
  readonly signal: AbortSignal
}

export type DatasetResult =
  | {
      readonly kind: 'not-due' | 'backing-off'
      readonly reason: string
      readonly retryAt: EpochMicros
      /** The quota is what keeps it: the credits of a period are used up. */
      readonly isUsedUp?: true
    }
  | { readonly kind: 'no-ledger'; readonly reason: string }
  | { readonly kind: 'swept'; readonly periodStart: EpochMicros; readonly pages: readonly PageResult[] }

/** Due? Then all pages of one sweep, each with a slot and a permit of its own. Never throws. */
export async function collectDataset(ports: PollPorts, task: DatasetTask): Promise<DatasetResult> {
  const again = await answeredBefore(ports, task)
  if (again !== null) return sweepPages(ports, task, again.periodStart, again.pages)
  const due = await dueOf(ports, task)
  return due.kind === 'due' ? sweepPages(ports, task, due.periodStart, pagesDue(task, due.periodStart)) : due
}

/** The second try of another period is for its own slots, whoever makes it: under a run's name all its pages would be paid again. */
function pagesDue({ run, ...task }: DatasetTask, periodStart: EpochMicros): readonly SlotPage[] {
  const isOwn = run !== undefined && task.periodStart === periodStart
  return pagesAt(isOwn ? { ...task, run } : task, periodStart)
}

async function sweepPages(
  ports: PollPorts,
  { source, dataset, signal }: DatasetTask,
  periodStart: EpochMicros,
  pages: readonly SlotPage[],
): Promise<DatasetResult> {
  const results = pages.map(one => collectPage(ports, { source, dataset, ...one, signal }))
  return { kind: 'swept', periodStart, pages: await Promise.all(results) }
}

interface SlotPage {
  readonly page: Page
  readonly slot: string
}

const pagesAt = ({ source, dataset, pages, run }: DatasetTask, periodStart: EpochMicros): SlotPage[] =>
  pages.map((page, index) => {
    const name = `${pageName(page)}${ownName(run)}`
    return { page, slot: slotOf(source.provider.id, dataset.id, periodStart, { index, name }) }
  })

/**
 * A task that is done again, before the planner is asked, who would only say that it is too early: answers of its slots that wait
 * are published, and where each was published before, that is what is told. Neither calls anybody. null = the planner has the word.
 */
async function answeredBefore(
  ports: PollPorts,
  task: DatasetTask,
): Promise<{ readonly periodStart: EpochMicros; readonly pages: readonly SlotPage[] } | null> {
  const { periodStart, ifDue = false } = task
  if (periodStart === undefined || !ifDue) return null
  const pages = pagesAt(task, periodStart)
  // A ledger that can not be read is told by whoever asks it next.
  const known = await ports.ledger
    .answered(pages.map(({ slot }) => slot))
    .catch(() => new Map<string, string>())
  const waiting = pages.filter(({ slot }) => known.get(slot) === 'answered')
  if (waiting.length > 0) return { periodStart, pages: waiting }
  return known.size === pages.length ? { periodStart, pages } : null
}

/** A slot's parts are parted by `/`, which an id may have too. */
const ownName = (run: string | undefined): string => (run === undefined ? '' : `.${encodeURIComponent(run)}`)

type Due =
  | { readonly kind: 'due'; readonly periodStart: EpochMicros }
  | Exclude<DatasetResult, { kind: 'swept' }>

async function dueOf(ports: PollPorts, task: DatasetTask): Promise<Due> {
  const { periodStart, ifDue = false } = task
  if (periodStart !== undefined && !ifDue) return { kind: 'due', periodStart }
  try {
    const now = ports.clock.now()
    const plan = await (periodStart === undefined
      ? isDue(ports.ledger, sweepOf(task), now)
      : isSlotDue(ports.ledger, sweepOf(task), { now, periodStart }))
    if (plan.kind === 'due') return plan
    const kind = plan.isAfterFailure ? 'backing-off' : 'not-due'
    const usedUp = plan.isUsedUp ? ({ isUsedUp: true } as const) : {}
    return { kind, reason: plan.reason, retryAt: plan.nextAt, ...usedUp }
  } catch (error) {
    return { kind: 'no-ledger', reason: `no call was made: ${toCryptosError(error).message}` }
  }
}

const sweepOf = ({ source, dataset, pages, ...task }: DatasetTask): Sweep => ({
  scope: source.scope,
  provider: source.provider.id,
  dataset: dataset.id,
  wish: {
    refreshMs: dataset.refreshMs,
    intervalMs: task.intervalMs ?? dataset.intervalMs,
    pages: pages.length,
    costPerSweep: Math.max(
      task.costPerRound ?? 0,
      pages.reduce((sum, page) => sum + costMaxOf({ source, dataset, page }), 0),
    ),
    reserveShare: task.reserveShare,
  },
})
