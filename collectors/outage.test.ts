import { describe, expect, it } from 'vitest'
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

const outageMs = 10 * MINUTE

/** Ten minutes of outage, and then five in which all is well again. */
async function runOutage(provider: Provider, fault: FaultSpec) {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const sandbox = await startSandbox({ clock, faults: [{ ...fault, provider: provider.id, times: null }] })
  await using test = await openTestPoll(sandbox.url, clock)
  try {
    const key = provider.keyed ? sandboxKey : undefined
    const source = await test.source(provider, sandbox.baseUrl(provider.id), key)
    const [dataset] = provider.datasets
    if (!dataset) throw new Error('no dataset')
    const pages = pagesOf(dataset, knownAssetRefs(provider).slice(0, 1), 'USD')
    const task = { source, dataset, pages, reserveShare: 0.02, signal: new AbortController().signal }
    /** Looks a second after each sweep, and whenever a look says that there is something to do. */
    const look = async (forMs: number): Promise<DatasetResult[]> => {
      const end = addMs(clock.now(), forMs)
      const ends: DatasetResult[] = []
      while (clock.now() < end) {
        const result = await collectDataset(test.ports, task)
        ends.push(result)
        const toWaitMs = 'retryAt' in result ? (result.retryAt - clock.now()) / 1_000 : 0
        clock.advance(Math.max(SECOND, Math.ceil(toWaitMs)))
      }
      return ends
    }
    const during = await look(outageMs)
    const calls = sandbox.meter.entries().length
    const [charged, told] = [sandbox.meter.summary().counts['credits'] ?? 0, sandbox.faults.hits(fault.kind)]
    sandbox.faults.clear()
    const after = await look(5 * MINUTE)
    return { during, after, calls, charged, hits: told, violations: sandbox.meter.violations }
  } finally {
    await sandbox.close()
  }
}

const pagesIn = (results: readonly DatasetResult[]) =>
  results.flatMap(r => (r.kind === 'swept' ? r.pages : []))

/** One try a refresh of the provider's data, and a second try each minute. */
const mostCalls = ({ datasets }: Provider): number =>
  outageMs / (datasets[0]?.refreshMs ?? MINUTE) + outageMs / MINUTE

const outages: readonly (readonly [string, FaultSpec])[] = [
  ['HTTP 503, charged', { kind: 'server-error', status: 503, charged: true }],
  ['HTML with 200', { kind: 'html' }],
  ['a maintenance page with Retry-After', { kind: 'maintenance', retryAfterSeconds: 600 }],
  ['too many requests', { kind: 'rate-limited' }],
  ['Cloudflare 1015', { kind: 'cloudflare' }],
  ['an empty object', { kind: 'deprecated' }],
]

describe.each([coinmarketcap, kraken, coinbase])(
  '$id in ten minutes of outage',
  { timeout: 60_000 },
  provider => {
    it.each(outages)('%s: no storm of retries, and prices again when it is over', async (_, fault) => {
      const { during, after, calls, charged, hits, violations } = await runOutage(provider, fault)
      expect(hits).toBe(calls)
      expect(calls).toBeGreaterThan(1)
      expect(calls).toBeLessThanOrEqual(mostCalls(provider))
      expect(pagesIn(during).map(p => p.outcome)).not.toContain('collected')
      expect(pagesIn(during).every(p => p.records === 0 && p.reason !== '')).toBe(true)
      expect(charged).toBeLessThanOrEqual(pagesIn(during).reduce((sum, p) => sum + p.credits, 0))
      expect(pagesIn(after).map(p => p.outcome)).toContain('collected')
      expect(violations).toBe(0)
    })

    it('waits as long as Retry-After says', async () => {
      const { calls } = await runOutage(provider, { kind: 'rate-limited', retryAfterSeconds: 400 })
      expect(calls).toBeLessThanOrEqual(2)
    })
  },
)
