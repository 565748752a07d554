import { Credits, type EpochMicros } from '../../core/brands.ts'
import type { Metric, Quote } from '../../core/records.ts'
import { HOUR, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import type { MeterEntry } from '../../sandbox/meter.ts'
import { type Sandbox, sandboxKey, startSandbox } from '../../sandbox/server.ts'
import { knownAssetRefs } from '../assets.ts'
import { collectPage } from '../poll.ts'
import { costMaxOf, datasetsOf, type PageResult, type PageTask } from '../poll-types.ts'
import type { Dataset, Mapped, Page, Provider } from '../provider.ts'
import { contextOf } from '../saved-context.ts'
import { openTestPoll, type TestPoll } from './test-poll.ts'

/** Where nothing is to end at it: a busy machine is no fault of the code. */
const usualDeadlineMs = 10_000

/** What came of one call on which a fault was set. */
export interface TrapEnd {
  readonly page: Page
  readonly result: PageResult
  /** How often the fault really acted. */
  readonly hits: number
  /** The call as the provider saw it. */
  readonly entry: MeterEntry
  /** What a mapping makes of the answer that was kept; undefined where none was kept, or none understands it. */
  readonly mapped: Mapped | undefined
  /** By the ledger's own count, with what is still reserved. */
  readonly credits: number
  /** The dearest cost by the provider's documented rule: what is reserved. */
  readonly costMax: number
  readonly tookMs: number
  /** Largest growth of the process's memory during the call, in MB. */
  readonly grownMb: number
}

/** One provider against its twin: a real poll, a real ledger, a real client; an hour goes by before each call. */
export interface TrapBench extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly dataset: Dataset
  /** With `calls`, the last of so many is told of: some faults repeat what they saw. */
  poll(fault: FaultSpec | undefined, calls?: number): Promise<TrapEnd>
}

/** What is asked of a provider; without a word its first dataset of quotes, with a key where there is one. */
export interface TrapCase {
  readonly assets?: number
  readonly dataset?: Dataset
  readonly way?: 'keyless' | 'keyed'
  /** Of a call. */
  readonly deadlineMs?: number
}

export async function openTrapBench(provider: Provider, kase: TrapCase = {}): Promise<TrapBench> {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const sandbox = await startSandbox({ clock })
  const test = await openTestPoll(sandbox.url, clock)
  const key = provider.keyed && kase.way !== 'keyless' ? sandboxKey : undefined
  const source = await test.source(provider, sandbox.baseUrl(provider.id), key)
  const dataset = kase.dataset ?? datasetsOf(source).find(d => d.kind === 'quotes')
  if (!dataset) throw new Error(`${provider.id} has no dataset of quotes`)
  const page = pageOf(provider, dataset, kase.assets ?? 4)
  const setup = { test, sandbox, clock, dataset, deadlineMs: kase.deadlineMs ?? usualDeadlineMs }
  let slots = 0
  const poll = async (fault: FaultSpec | undefined, calls = 1): Promise<TrapEnd> => {
    const id = fault && sandbox.faults.add({ ...fault, provider: provider.id })
    for (let call = 1; ; call += 1) {
      slots += 1
      const task = { source, dataset, page, slot: `trap/${slots}`, signal: new AbortController().signal }
      const end = await pollOnce(setup, task)
      if (call === calls) return { ...end, hits: id === undefined ? 0 : sandbox.faults.hits(id) }
    }
  }
  const close = async (): Promise<void> => {
    await test[Symbol.asyncDispose]()
    await sandbox.close()
  }
  return { sandbox, dataset, poll, [Symbol.asyncDispose]: close }
}

function pageOf(provider: Provider, dataset: Dataset, most: number): Page {
  const refs = knownAssetRefs(provider).filter(ref => dataset.assets?.has(ref.asset) ?? true)
  const assets = dataset.kind === 'metrics' ? [] : refs.slice(0, Math.min(dataset.pageSize, most))
  return { assets, currency: currencyOf(provider) }
}

interface Setup extends Pick<TrapBench, 'sandbox' | 'dataset'> {
  readonly test: TestPoll
  readonly clock: VirtualClock
  readonly deadlineMs: number
}

async function pollOnce(
  { test, sandbox, clock, dataset, deadlineMs }: Setup,
  task: PageTask,
): Promise<Omit<TrapEnd, 'hits'>> {
  clock.advance(HOUR)
  const before = await usedOf(test, clock.now())
  const startedMs = performance.now()
  const memory = watchMemory()
  const result = await collectPage({ ...test.ports, deadlineMs }, task)
  const grownMb = memory.stop()
  const tookMs = performance.now() - startedMs
  const entry = sandbox.meter.entries().at(-1)
  if (!entry) throw new Error(`the provider was never called: ${result.reason}`)
  const mapped = await mappedOf(test, dataset, result)
  const credits = (await usedOf(test, clock.now())) - before
  return { page: task.page, result, entry, mapped, credits, costMax: costMaxOf(task), tookMs, grownMb }
}

function currencyOf({ currencies, standIn }: Provider): string {
  if (currencies === undefined || currencies.includes('USD')) return 'USD'
  return standIn?.['USD'] ?? currencies[0] ?? 'USD'
}

/** Credits of the month, used or reserved. */
async function usedOf({ ledger }: TestPoll, at: EpochMicros): Promise<number> {
  const [scope] = await ledger.status(at)
  const month = scope?.windows.find(w => w.window === 'month')
  return (month?.used ?? 0) + (month?.reserved ?? 0)
}

/** The records that the answer of a slot gives, as the publisher would map it. */
async function mappedOf(test: TestPoll, dataset: Dataset, result: PageResult): Promise<Mapped | undefined> {
  const entries = await test.ledger.outbox.pending(1_000)
  await test.ledger.outbox.markPublished(
    entries.map(entry => entry.answerId),
    test.clock.now(),
  )
  const kept = entries.find(entry => entry.answerId === result.answerId)
  if (!kept || result.outcome === 'payload-invalid') return undefined
  return dataset.map(kept.body, contextOf({ ...kept, credits: Credits(result.credits), revision: 0 }))
}

function watchMemory(): { stop(): number } {
  const before = process.memoryUsage.rss()
  let most = before
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 5)
  return {
    stop() {
      clearInterval(timer)
      look()
      return (most - before) / 1_000_000
    },
  }
}

/** Records that the provider did not serve: by id, currency, digits and, where it tells one, time. */
export function wrongPrices({ mapped, entry }: TrapEnd): readonly Quote[] {
  const served = new Map(
    entry.values.map(value => [`${value.sourceId} ${value.currency} ${value.price}`, value]),
  )
  return (mapped?.records ?? []).filter(record => {
    const value = served.get(`${record.sourceId} ${record.currency} ${record.price}`)
    if (!value) return true
    return (
      value.observedAt !== null && record.observedBy === 'source' && record.observedAt !== value.observedAt
    )
  })
}

/** Asked assets that are neither recorded nor said to be missing, or that are both. */
export function lostAssets({ mapped, page }: TrapEnd): readonly string[] {
  if (!mapped) return []
  const told = [...mapped.records.map(r => r.sourceId), ...mapped.missing.map(m => m.sourceId)]
  return page.assets.map(a => a.sourceId).filter(id => told.filter(each => each === id).length !== 1)
}

/** Figures of the whole market that the provider did not serve. */
export function wrongFigures({ mapped, entry }: TrapEnd): readonly Metric[] {
  const served = new Set(entry.values.map(value => `${value.sourceId} ${value.price}`))
  return (mapped?.metrics ?? []).filter(metric => !served.has(`${metric.name} ${metric.value}`))
}
