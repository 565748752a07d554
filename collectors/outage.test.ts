import { beforeAll, describe, expect, it } from 'vitest'
import type { EpochMicros } from '../core/brands.ts'
import { addMs, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import type { FaultSpec } from '../sandbox/faults.ts'
import { sandboxKey, startSandbox } from '../sandbox/server.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import { collectDataset, type DatasetResult } from './dataset.ts'
import { coinbase } from './providers/coinbase/index.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { kraken } from './providers/kraken/index.ts'
import type { Provider } from './provider.ts'
import { openTestPoll } from './testing/test-poll.ts'

const outageMs = 30 * MINUTE
/** Longer than the longest wait. */
const afterMs = 20 * MINUTE

/** Half an hour of outage (or of health, without a fault), and then a while in which all is well. */
async function runOutage(provider: Provider, fault?: FaultSpec) {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const faults = fault ? [{ ...fault, provider: provider.id, times: null }] : []
  const sandbox = await startSandbox({ clock, faults })
  await using test = await openTestPoll(sandbox.url, clock)
  try {
    const key = provider.keyed ? sandboxKey : undefined
    const source = await test.source(provider, sandbox.baseUrl(provider.id), key)
    const [dataset] = provider.datasets
    if (!dataset) throw new Error('no dataset')
    const pages = pagesOf(dataset, knownAssetRefs(provider).slice(0, 1), 'USD')
    const task = { source, dataset, pages, reserveShare: 0.02, signal: new AbortController().signal }
    /** As `cryptos up` does: looks again when a look says that there is something to do, and at least each minute. */
    const look = async (forMs: number): Promise<Look[]> => {
      const end = addMs(clock.now(), forMs)
      const looks: Look[] = []
      while (clock.now() < end) {
        const at = clock.now()
        const result = await collectDataset(test.ports, task)
        looks.push({ at, result })
        const toWaitMs = ((retryAtOf(result) ?? at) - at) / 1_000
        clock.advance(Math.min(MINUTE, Math.max(SECOND, Math.ceil(toWaitMs))))
      }
      return looks
    }
    const during = await look(outageMs)
    const calls = sandbox.meter.entries().length
    const charged = sandbox.meter.summary().counts['credits'] ?? 0
    const hits = fault ? sandbox.faults.hits(fault.kind) : 0
    sandbox.faults.clear()
    const overAt = clock.now()
    const after = await look(afterMs)
    return { during, after, overAt, calls, charged, hits, violations: sandbox.meter.violations }
  } finally {
    await sandbox.close()
  }
}

interface Look {
  readonly at: EpochMicros
  readonly result: DatasetResult
}

const retryAtOf = (result: DatasetResult): EpochMicros | undefined => {
  if ('retryAt' in result) return result.retryAt
  return result.kind === 'swept' ? result.pages[0]?.retryAt : undefined
}

const pagesIn = (looks: readonly Look[]) =>
  looks.flatMap(({ at, result }) => (result.kind === 'swept' ? result.pages.map(p => ({ ...p, at })) : []))
const collectedIn = (looks: readonly Look[]) => pagesIn(looks).filter(p => p.outcome === 'collected')

const outages: readonly (readonly [string, FaultSpec])[] = [
  ['HTTP 503, charged', { kind: 'server-error', status: 503, charged: true }],
  ['HTML with 200', { kind: 'html' }],
  ['a maintenance page with Retry-After', { kind: 'maintenance', retryAfterSeconds: 600 }],
  ['a maintenance page', { kind: 'maintenance' }],
  ['too many requests', { kind: 'rate-limited' }],
  ['Cloudflare 1015', { kind: 'cloudflare' }],
  ['an empty object', { kind: 'deprecated' }],
]

describe.each([coinmarketcap, kraken, coinbase])(
  '$id in half an hour of outage',
  { timeout: 60_000 },
  provider => {
    let healthy: Awaited<ReturnType<typeof runOutage>>
    beforeAll(async () => {
      healthy = await runOutage(provider)
    })

    it.each(outages)(
      '%s: half the calls of a healthy time at most, and prices again soon',
      async (_, fault) => {
        const { during, after, overAt, calls, charged, hits, violations } = await runOutage(provider, fault)
        expect(hits).toBe(calls)
        expect(calls).toBeGreaterThan(1)
        // What the provider serves as an answer is none to the ledger's eyes only when its judge says so.
        const isAnswered = pagesIn(during).some(p => p.answerId !== undefined)
        expect(calls).toBeLessThanOrEqual(isAnswered ? healthy.calls : healthy.calls / 2)
        expect(collectedIn(during)).toEqual([])
        expect(pagesIn(during).every(p => p.records === 0 && p.reason !== '')).toBe(true)
        expect(charged).toBeLessThanOrEqual(pagesIn(during).reduce((sum, p) => sum + p.credits, 0))
        expect(violations).toBe(0)
        const [first, ...rest] = collectedIn(after)
        if (!first) throw new Error('no prices after the outage')
        // Half of the outage (or what Retry-After says), on the grid of the provider's refresh.
        expect(first.at - overAt).toBeLessThanOrEqual((outageMs / 2 + 90 * SECOND) * 1_000)
        // The waiting is over with the first answer.
        const pace = collectedIn(healthy.during).length / outageMs
        const leftMs = afterMs - (first.at - overAt) / 1_000
        expect(rest.length).toBeGreaterThanOrEqual(Math.floor(leftMs * pace) - 2)
      },
    )

    it('waits longer and longer, and says until when', async () => {
      const { during } = await runOutage(provider, { kind: 'server-error', status: 503, charged: false })
      const at = pagesIn(during).map(p => p.at)
      const waits = at.slice(1).map((time, i) => (time - (at[i] ?? 0)) / 1_000)
      const [early, late] = [waits.slice(0, 2), waits.slice(-2)]
      expect(Math.min(...late)).toBeGreaterThan(2 * Math.max(...early))
      expect(Math.max(...waits)).toBeLessThanOrEqual(15 * MINUTE + 90 * SECOND)
      const waiting = during.filter(({ result }) => result.kind === 'backing-off')
      expect(waiting.length).toBeGreaterThan(2)
      for (const look of waiting) expect(retryAtOf(look.result)).toBeGreaterThan(look.at)
    })

    it('waits as long as Retry-After says', async () => {
      for (const fault of [
        { kind: 'rate-limited', retryAfterSeconds: 800 },
        { kind: 'maintenance', retryAfterSeconds: 800 },
      ] as const)
        expect((await runOutage(provider, fault)).calls).toBeLessThanOrEqual(3)
    })
  },
)
