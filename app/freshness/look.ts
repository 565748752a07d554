import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger, LastSlots, ScopeStatus } from '../../core/ports/ledger.ts'
import type { MarketReader } from '../../core/ports/reader.ts'
import type { Gap, Run } from '../../core/records.ts'
import { costMaxOf } from '../../collectors/poll-types.ts'
import type { Dataset, Page } from '../../collectors/provider.ts'
import { addMs, HOUR, toIso } from '../../core/time.ts'
import { periodStartOf } from '../../quota/pages.ts'
import { planNext } from '../../quota/planner.ts'
import type { Config } from '../config/load.ts'
import { type Route, whyOff } from '../routes.ts'
import { costPerRound, datasetsFor, pagesFor } from '../wanted.ts'
import { type Age, ageOf, type PaceNow, type Tolerance } from './age.ts'
import { type Cause, causeOf } from './cause.ts'

export interface LookPorts {
  readonly config: Config
  readonly clock: Clock
  readonly ledger: Ledger
  /** Opened only where something is stale. */
  gaps(): Promise<Pick<MarketReader, 'latestRecords'> & { close(): Promise<void> }>
  /** Routes of those of these providers that are not wanted by the settings: a scheduler may run them all the same. */
  others(names: readonly string[]): readonly Route[]
}

export interface DatasetLook extends Age {
  readonly provider: string
  readonly dataset: string
  readonly pace: PaceNow
  /** null = fresh. */
  readonly cause: Cause | null
}

export interface Looked {
  readonly at: EpochMicros
  readonly datasets: readonly DatasetLook[]
  /** Why the gap ledger could not be read; null = it was read, or nothing wanted it. */
  readonly gapsUnread: string | null
}

/** A wanted dataset with what one sweep of it asks for. */
interface Wanted {
  readonly route: Route
  readonly dataset: Dataset
  readonly pages: readonly Page[]
}

type Aged = Wanted & { readonly age: Age; readonly pace: PaceNow }

/** How old the newest answer of each wanted dataset is, and why where it is too old. @throws CryptosError of the ledger */
export async function lookAtFreshness(
  ports: LookPorts,
  routes: readonly Route[],
  tolerance: Tolerance,
): Promise<Looked> {
  const now = ports.clock.now()
  const scopes = await ports.ledger.status(now)
  const runs = await ports.ledger.runs(runsRead)
  const aged: Aged[] = []
  for (const wanted of [...wantedOf(ports.config, routes), ...scheduledOf(ports, runs, now)]) {
    const last = await ports.ledger.lastSlots(`${wanted.route.provider.id}/${wanted.dataset.id}`, now)
    if (isLeftAlone(wanted.route, ports.config, last)) continue
    const pace = paceNow(wanted, ports.config, scopes, now)
    aged.push({ ...wanted, pace, age: ageOf(last, pace, tolerance, now) })
  }
  const isAnyStale = aged.some(({ age }) => age.isStale)
  const gaps = isAnyStale ? await gapsOf(ports) : { found: [], unread: null }
  return {
    at: now,
    datasets: aged.map(one => viewOf(one, runs, gaps.found)),
    gapsUnread: gaps.unread,
  }
}

/** With a tick a minute over ten datasets they go back some hours. */
const runsRead = 5_000

const wantedOf = (config: Config, routes: readonly Route[]): readonly Wanted[] =>
  routes.flatMap(route =>
    datasetsFor(route, config).flatMap(dataset => {
      const pages = pagesFor(route, dataset, config)
      return 'none' in pages ? [] : [{ route, dataset, pages }]
    }),
  )

/** After this long without a run it is taken as switched off: nobody else tells. */
const scheduledMs = HOUR

/** What a scheduler, which names itself as the spender, runs of providers that the settings do not name. */
function scheduledOf({ config, others }: LookPorts, runs: readonly Run[], now: EpochMicros): Wanted[] {
  const since = addMs(now, -scheduledMs)
  const recent = runs.filter(run => run.spender !== undefined && run.startedAt > since)
  const names = new Set(recent.map(run => `${run.provider}/${run.dataset}`))
  const routes = others([...new Set(recent.map(run => run.provider))])
  return wantedOf(config, routes).filter(({ route, dataset }) =>
    names.has(`${route.provider.id}/${dataset.id}`),
  )
}

/** A source that is closed to the public counts from its first try on: with simulated data nobody has to run it. */
const isLeftAlone = ({ provider }: Route, config: Config, last: LastSlots): boolean =>
  last.tried === null && whyOff(provider, config, { kind: 'live' }) !== null

/** What the planner would say had the dataset been answered just now. */
function paceNow(
  { route, dataset, pages }: Wanted,
  config: Config,
  scopes: readonly ScopeStatus[],
  now: EpochMicros,
): PaceNow {
  const intervalMs = Math.max(dataset.intervalMs, config.minIntervalSeconds * 1_000)
  const periodStart = periodStartOf(now, dataset.refreshMs)
  const costOfSweep = pages.reduce((sum, page) => sum + costMaxOf({ source: route.poll, dataset, page }), 0)
  const status = scopes.find(s => s.scope === route.scope.scope)
  const plan = planNext({
    ...{ now, refreshMs: dataset.refreshMs, intervalMs, pages: pages.length },
    ...{ lastAnswered: periodStart, lastTried: periodStart },
    status,
    costPerSweep: Math.max(costPerRound(route, config), costOfSweep),
    reserveShare: config.reserveShare,
  })
  if (plan.kind === 'due') return { intervalMs, held: holdOf(status) }
  if (plan.isUsedUp) return { intervalMs, held: plan.reason }
  return { intervalMs: Math.max(intervalMs, (plan.nextAt - periodStart) / 1_000), held: holdOf(status) }
}

function holdOf(status: ScopeStatus | undefined): string | null {
  if (typeof status?.frozen === 'string') return `spending is frozen: ${status.frozen}`
  if (typeof status?.pausedUntil === 'number')
    return `paused until ${toIso(status.pausedUntil)}: ${status.pausedWhy ?? ''}`
  return null
}

async function gapsOf(
  ports: LookPorts,
): Promise<{ readonly found: readonly Gap[]; readonly unread: string | null }> {
  try {
    const reader = await ports.gaps()
    try {
      return { found: await reader.latestRecords('gap'), unread: null }
    } finally {
      await reader.close()
    }
  } catch (error) {
    return { found: [], unread: toCryptosError(error).message }
  }
}

function viewOf(
  { route, dataset, age, pace }: Aged,
  runs: readonly Run[],
  gaps: readonly Gap[],
): DatasetLook {
  const provider = route.provider.id
  const isOwn = (one: Pick<Run | Gap, 'provider' | 'dataset'>): boolean =>
    one.provider === provider && one.dataset === dataset.id
  const gap = gaps.filter(isOwn).toSorted((a, b) => b.receivedAt - a.receivedAt)[0] ?? null
  const evidence = { runs: runs.filter(isOwn), gap, answeredAt: age.answeredAt, held: pace.held }
  return { provider, dataset: dataset.id, ...age, pace, cause: age.isStale ? causeOf(evidence) : null }
}
