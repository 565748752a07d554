import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Credits, EpochMicros } from '../../core/brands.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import { addMs, DAY, parseIso, toEpochMs } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { SandboxPlan } from '../../sandbox/plan.ts'
import { type Sandbox, sandboxKey, startSandbox } from '../../sandbox/server.ts'
import type { ServedValue } from '../../sandbox/types.ts'
import { assetRef, pagesOf } from '../assets.ts'
import { collectDataset, type DatasetTask } from '../dataset.ts'
import { asDayClose } from '../mapping-history.ts'
import type { PageResult, Source } from '../poll-types.ts'
import type { Dataset, Page, Provider } from '../provider.ts'
import { contextOf } from '../saved-context.ts'
import { reconcileWhenDue } from '../usage.ts'
import { openTestPoll, type TestPoll } from './test-poll.ts'

/** A provider's dataset at the sandbox, by one of its ways. */
export interface TwinCase {
  readonly provider: Provider
  readonly dataset: Dataset
  readonly currency: string
  readonly assets: Page['assets']
  /** In place of the pages of `assets`: a list of the largest. */
  readonly page?: Page | undefined
  /** `undefined` = without a key. */
  readonly key: string | undefined
  readonly limits?: Readonly<Record<string, unknown>> | undefined
  readonly plan?: Partial<SandboxPlan> | undefined
  /** The time of a record by the time that the twin says it served. */
  readonly timeOf?: ((served: EpochMicros) => EpochMicros) | undefined
}

/** The sandbox on a virtual clock, a real ledger, and what was done with them. */
export interface TwinRun extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly clock: VirtualClock
  readonly poll: TestPoll
  readonly source: Source
  /** Results of all pages, in their order. */
  readonly results: PageResult[]
  /** Calls for the provider's own usage. */
  readonly usageCalls: () => number
  /** Waits until the planner lets one sweep happen, and gives its pages. */
  sweep(): Promise<readonly PageResult[]>
  /** Every byte of the ledger's folder, and all that its ports tell. */
  everythingKept(): Promise<string>
}

export async function openTwinRun(kase: TwinCase): Promise<TwinRun> {
  const { provider, dataset } = kase
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:39Z'))
  const limits = kase.limits ? { limits: { [provider.id]: kase.limits } } : {}
  const sandbox = await startSandbox({ clock, ...limits, ...(kase.plan ? { plan: kase.plan } : {}) })
  const poll = await openTestPoll(sandbox.url, clock)
  const source = await poll.source(provider, sandbox.baseUrl(provider.id), kase.key)
  const results: PageResult[] = []
  let usageCalls = 0
  let sweeps = 0
  const { signal } = new AbortController()

  const once = async (): Promise<readonly PageResult[] | number> => {
    if ((await reconcileWhenDue(poll.ports, source, signal)) !== null) usageCalls += 1
    const pages = pagesFor(kase, clock.now(), sweeps)
    const own = { source, dataset, pages, reserveShare: 0.02, signal } satisfies DatasetTask
    const result = await collectDataset(poll.ports, { ...own, ...historyPeriod(kase, clock.now()) })
    if (result.kind === 'no-ledger') throw new Error(result.reason)
    if (result.kind !== 'swept') return Math.max(1, (result.retryAt - clock.now()) / 1_000)
    sweeps += 1
    results.push(...result.pages)
    if (dataset.kind === 'history') clock.advance(dataset.intervalMs)
    return result.pages
  }

  return {
    ...{ sandbox, clock, poll, source, results },
    usageCalls: () => usageCalls,
    async sweep() {
      for (let tries = 0; tries < 10; tries += 1) {
        const done = await once()
        if (typeof done !== 'number') return done
        clock.advance(done)
      }
      throw new Error('ten times not due')
    },
    everythingKept: () => everythingKept(poll, results),
    async [Symbol.asyncDispose]() {
      await poll[Symbol.asyncDispose]()
      await sandbox.close()
    },
  }
}

/** The same pages each time; of a history one range after the other, back from the last midnight. */
function pagesFor(
  { dataset, assets, currency, page }: TwinCase,
  now: EpochMicros,
  sweep: number,
): readonly Page[] {
  if (page) return [page]
  const pages = pagesOf(dataset, assets, currency)
  if (!dataset.history) return pages
  const { rangeMaxMs, reachMs, stepMs } = dataset.history
  const grid = Math.max(stepMs, DAY)
  const width = Math.max(
    grid,
    Math.floor(Math.min(rangeMaxMs, 30 * DAY, (reachMs ?? 30 * DAY) / 2) / grid) * grid,
  )
  const most = reachMs === null ? sweep + 1 : Math.max(1, Math.floor((reachMs - 2 * grid) / width))
  const midnight = EpochMicros(Math.floor(toEpochMs(now) / DAY) * DAY * 1_000)
  const to = addMs(midnight, -width * (sweep % most))
  return pages.map(p => ({ ...p, range: { from: addMs(to, -width), to } }))
}

/** Nobody plans a backfill: each call is a period of its own. */
const historyPeriod = ({ dataset }: TwinCase, now: EpochMicros): Pick<DatasetTask, 'periodStart'> =>
  dataset.kind === 'history' ? { periodStart: now } : {}

async function outboxOf(poll: TestPoll): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  for await (const entry of poll.ledger.outbox.between(EpochMicros(0), addMs(poll.clock.now(), DAY)))
    entries.push(entry)
  return entries
}

/** What the answers in the outbox hold, one text a record: `BTC-USD|USD|81240.10|<micros>`, without a time where it is ours. */
export async function keptValues({ dataset }: TwinCase, { poll }: TwinRun): Promise<string[]> {
  const entries = await outboxOf(poll)
  return entries.flatMap(entry => {
    const { records, metrics = [] } = dataset.map(entry.body, contextOf({ ...entry, credits: Credits(0) }))
    const timeOf = (r: { observedAt: number; observedBy: string }): string =>
      r.observedBy === 'source' ? String(r.observedAt) : ''
    return [
      ...records.map(r => `${r.sourceId}|${r.currency}|${r.price}|${timeOf(r)}`),
      ...metrics.map(m => `${m.name}|${m.currency ?? ''}|${m.value}|${timeOf(m)}`),
    ]
  })
}

/** What the meter says was served, in the same form. Of a figure without a currency the twin tells an empty one. */
export function servedValues({ dataset, timeOf }: TwinCase, { sandbox }: TwinRun): string[] {
  const own = timeOf ?? (dataset.kind === 'history' ? asDayClose : (at: EpochMicros): EpochMicros => at)
  const text = ({ sourceId, currency, price, observedAt }: ServedValue): string =>
    `${sourceId}|${currency}|${price}|${observedAt === null ? '' : own(observedAt)}`
  return sandbox.meter.entries().flatMap(entry => (entry.result === 'served' ? entry.values.map(text) : []))
}

async function everythingKept(poll: TestPoll, results: readonly PageResult[]): Promise<string> {
  const { ledger, folder } = poll
  const files = readdirSync(folder).map(name => readFileSync(join(folder, name)).toString('latin1'))
  const told = [
    ...[
      await ledger.events({ limit: 10_000 }),
      await ledger.runs(10_000),
      await ledger.status(poll.clock.now()),
    ],
    (await outboxOf(poll)).map(({ body, ...entry }) => [entry, Buffer.from(body).toString('latin1')]),
  ]
  return [...files, JSON.stringify(told), JSON.stringify(results)].join('\n')
}

/** The ways of a dataset: without a key, with the sandbox's. */
export const waysOf = (provider: Provider, { access }: Dataset): readonly (string | undefined)[] => [
  ...(provider.keyless && access !== 'keyed' ? [undefined] : []),
  ...(provider.keyed && access !== 'keyless' ? [sandboxKey] : []),
]

export const refsOf = (provider: Provider, assets: readonly string[] | undefined): Page['assets'] =>
  [...provider.assets.keys()]
    .filter(asset => assets === undefined || assets.includes(asset))
    .map(asset => assetRef(provider, asset))
