import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { sandboxKey, startSandbox } from '../sandbox/server.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { topicTable, usedTopics } from '../topics/table.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import { collectDataset } from './dataset.ts'
import { datasetsOf } from './poll-types.ts'
import { Publisher } from './publisher.ts'
import { providers } from './registry.ts'
import { openTestPoll } from './testing/test-poll.ts'
import { reconcileUsage } from './usage.ts'

const topics = topicTable()

describe('a sweep against the sandbox', () => {
  const ways = providers.flatMap(p => [p.keyless && ([p, false] as const), p.keyed && ([p, true] as const)])
  it.each(ways.filter(way => way !== undefined).map(([p, keyed]) => [p.id, keyed, p] as const))(
    '%s, with a key: %s: every asset once, the digits that were served, the credits that were charged',
    async (_, keyed, provider) => {
      const clock = new VirtualClock(parseIso('2026-11-21T12:00:39Z'))
      await using sandbox = Object.assign(await startSandbox({ clock }), {
        [Symbol.asyncDispose]: () => sandbox.close(),
      })
      await using test = await openTestPoll(sandbox.url, clock)
      const broker = await openMemoryBroker({ clock })
      await broker.createTopics(usedTopics(topics))
      const key = keyed ? sandboxKey : undefined
      const source = await test.source(provider, sandbox.baseUrl(provider.id as never), key)
      const signal = new AbortController().signal
      const usage = await reconcileUsage(test.ports, source, signal)
      expect(usage.kind).toBe(keyed && provider.usage ? 'reconciled' : 'none')

      const { publish } = new Publisher({ ledger: test.ledger, broker, clock, providers, holder: 'test' })
      const [dataset] = datasetsOf(source)
      if (!dataset) throw new Error(`${provider.id} has no dataset`)
      const currency = provider.currencies?.[0] ?? 'USD'
      const task = {
        ...{ source, dataset, pages: pagesOf(dataset, knownAssetRefs(provider), currency) },
        ...{ reserveShare: 0.02, signal },
      }
      const swept = await collectDataset({ ...test.ports, publish }, task)
      if (swept.kind !== 'swept') throw new Error(JSON.stringify(swept))
      expect(swept.pages.map(p => p.outcome)).toEqual(swept.pages.map(() => 'collected'))
      expect((await collectDataset({ ...test.ports, publish }, task)).kind).toBe('not-due')

      const entries = sandbox.meter.entries()
      expect(entries.map(e => e.keyIn)).toEqual(entries.map(() => (keyed ? 'header' : 'none')))
      const sent = new Map(entries.flatMap(entry => entry.values.map(v => [v.sourceId, v.price] as const)))
      const stored = new Map<string, string>()
      for await (const message of broker.read(topics.quotes.name, { offset: 0 })) {
        const quote = quoteJson.decode(message.value!)
        stored.set(quote.sourceId, quote.price)
        expect(quote.origin).toBe('sandbox')
      }
      expect(stored).toEqual(sent)
      expect(stored.size).toBe(task.pages.flatMap(page => page.assets).length)
      expect(swept.pages.reduce((sum, p) => sum + p.credits, 0)).toBe(sandbox.meter.summary().counts.credits)
      await broker.close()
    },
  )
})
