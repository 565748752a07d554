import { describe, expect, it } from 'vitest'
import { addMs, DAY, parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { leavesOf } from '../sandbox/body-places.ts'
import { parseTree, plainOf } from '../sandbox/body-tree.ts'
import { sandboxKey, startSandbox } from '../sandbox/server.ts'
import { twins } from '../sandbox/registry.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import type { Dataset, Page, Provider } from './provider.ts'
import { providers } from './registry.ts'
import { callOf } from './request.ts'
import { sourceOf } from './source.ts'

const sorted = (texts: readonly string[]): string[] => texts.toSorted((a, b) => (a < b ? -1 : 1))
const now = parseIso('2026-11-21T12:00:39Z')
const midnight = parseIso('2026-11-21T00:00:00Z')

function pageOf(provider: Provider, dataset: Dataset): Page | undefined {
  const currency = provider.currencies?.includes('USD') === false ? (provider.currencies[0] ?? 'USD') : 'USD'
  const [page] = pagesOf(dataset, knownAssetRefs(provider), currency)
  return page && dataset.history
    ? {
        ...page,
        range: { from: addMs(midnight, -Math.min(dataset.history.rangeMaxMs, 20 * DAY)), to: midnight },
      }
    : page
}

const cases = providers
  .filter(provider => twins.some(twin => twin.id === provider.id))
  .flatMap(provider =>
    provider.datasets
      .filter(d => d.kind !== 'metrics')
      .map(dataset => ({ provider, dataset, name: `${provider.id} ${dataset.id}` })),
  )

describe('no other number of a body has the digits of its price: by them a fault finds it', () => {
  it.each(cases)('$name', async ({ provider, dataset }) => {
    const sandbox = await startSandbox({ clock: new VirtualClock(now) })
    try {
      const isKeyed = provider.keyed !== undefined && dataset.access !== 'keyless'
      const { source } = sourceOf(provider, {
        ...(isKeyed ? { key: sandboxKey } : {}),
        sandboxBaseUrl: sandbox.baseUrl(provider.id),
      })
      const page = pageOf(provider, dataset)
      if (!page) throw new Error('no page')
      const { url, headers, secretHeader } = callOf(source, dataset.request(page), now)
      const secret = secretHeader ? { [secretHeader.name]: secretHeader.value } : {}
      const body = await (await fetch(url, { headers: { ...headers, ...secret } })).text()
      const prices = sandbox.meter.entries().flatMap(entry => entry.values.map(value => value.price))
      expect(prices.length).toBeGreaterThan(0)
      const digits = new Set(prices)
      const said = [...leavesOf(parseTree(body), [])]
        .map(({ leaf }) => plainOf(leaf))
        .filter(text => digits.has(text))
      expect(sorted(said)).toEqual(sorted(prices))
    } finally {
      await sandbox.close()
    }
  })
})
