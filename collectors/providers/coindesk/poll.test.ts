import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../core/time.ts'
import type { Quote } from '../../../core/records.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { sandboxKey, startSandbox } from '../../../sandbox/server.ts'
import { openMemoryBroker } from '../../../topics/brokers/memory.ts'
import { quoteJson } from '../../../topics/codecs/quote-json.ts'
import { topicTable, usedTopics } from '../../../topics/table.ts'
import { knownAssetRefs, pagesOf } from '../../assets.ts'
import { collectDataset } from '../../dataset.ts'
import { collectPage } from '../../poll.ts'
import { datasetsOf, type PageResult } from '../../poll-types.ts'
import type { Page } from '../../provider.ts'
import { Publisher } from '../../publisher.ts'
import { openTestPoll } from '../../testing/test-poll.ts'
import { coindesk } from './index.ts'

const topics = topicTable()
const refs = knownAssetRefs(coindesk)

/** The product's whole way from the permit to the topic, against the twin. */
async function bench(key: string | undefined, limits: Readonly<Record<string, unknown>> = {}) {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:39Z'))
  const sandbox = await startSandbox({ clock, limits: { coindesk: limits } })
  const test = await openTestPoll(sandbox.url, clock)
  const broker = await openMemoryBroker({ clock })
  await broker.createTopics(usedTopics(topics))
  const source = await test.source(coindesk, sandbox.baseUrl('coindesk'), key)
  const { publish } = new Publisher({
    ledger: test.ledger,
    broker,
    clock,
    providers: [coindesk],
    holder: 'test',
  })
  const ports = { ...test.ports, publish }
  const { signal } = new AbortController()
  const datasetOf = (id: string) => {
    const found = datasetsOf(source).find(d => d.id === id)
    if (!found) throw new Error(`no dataset ${id} this way`)
    return found
  }
  let slots = 0
  return {
    ...{ clock, sandbox },
    sweep: async (id: string, currency = 'USD') => {
      const dataset = datasetOf(id)
      const pages = pagesOf(dataset, refs, currency)
      const swept = await collectDataset(ports, { source, dataset, pages, reserveShare: 0.02, signal })
      return swept.kind === 'swept' ? swept.pages : []
    },
    page: (id: string, page: Page): Promise<PageResult> => {
      slots += 1
      return collectPage(ports, {
        source,
        dataset: datasetOf(id),
        page,
        slot: `coindesk/${id}/${slots}`,
        signal,
      })
    },
    stored: async (): Promise<readonly Quote[]> => {
      const found: Quote[] = []
      for await (const message of broker.read(topics.quotes.name, { offset: 0 }))
        if (message.value) found.push(quoteJson.decode(message.value))
      return found
    },
    served: () => sandbox.meter.entries().flatMap(entry => entry.values),
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]()
      await broker.close()
      await sandbox.close()
    },
  }
}

type Value = Pick<Quote, 'sourceId' | 'currency' | 'observedAt'> & { readonly price: string }
/** In one order: a topic keeps that of each asset only. */
const valuesOf = (values: readonly { readonly [K in keyof Value]: Value[K] | null }[]): readonly string[] =>
  values.map(v => `${v.sourceId} ${v.currency} ${v.observedAt} ${v.price}`).sort()
const days = (from: string, to: string) => ({
  from: parseIso(`${from}T00:00:00Z`),
  to: parseIso(`${to}T00:00:00Z`),
})
const bitcoin = refs.slice(0, 1)

describe('a poll of each dataset against the twin: what was served is what is stored', () => {
  it('quotes, in USD and by the path of a code', async () => {
    await using box = await bench(undefined)
    expect(await box.sweep('quotes')).toMatchObject([{ outcome: 'collected', records: 1, credits: 0 }])
    expect(await box.page('quotes', { assets: bitcoin, currency: 'JPY' })).toMatchObject({
      outcome: 'collected',
    })
    expect(await box.page('quotes', { assets: bitcoin, currency: 'BTC' })).toMatchObject({
      outcome: 'collected',
    })
    const stored = await box.stored()
    expect(valuesOf(stored)).toEqual(valuesOf(box.served()))
    expect(stored.map(q => q.currency).sort()).toEqual(['BTC', 'JPY', 'USD'])
    for (const quote of stored) expect([quote.origin, quote.observedBy]).toEqual(['sandbox', 'source'])
    expect(await box.page('quotes', { assets: bitcoin, currency: 'XYZ' })).toMatchObject({
      ...{ outcome: 'bad-request', reason: 'CoinDesk BPI (HTTP 404): Sorry, that currency was not found' },
    })
  })

  it('history, in USD; in another currency there is only the reason', async () => {
    await using box = await bench(undefined)
    const range = days('2025-11-20', '2026-11-21')
    expect(await box.page('history', { assets: bitcoin, currency: 'USD', range })).toMatchObject({
      ...{ outcome: 'collected', records: 366 },
    })
    expect(valuesOf(await box.stored())).toEqual(valuesOf(box.served()))
    const inPounds = await box.page('history', { assets: bitcoin, currency: 'GBP', range })
    expect(inPounds).toMatchObject({ outcome: 'partial', records: 0 })
    expect(inPounds.reason).toMatch(/nothing proves that the closes are in GBP/)
    expect(await box.stored()).toHaveLength(366)
  })

  it('tick, all assets for one credit, in any currency', async () => {
    await using box = await bench(sandboxKey)
    expect(await box.sweep('tick')).toMatchObject([{ outcome: 'collected', records: 14, credits: 1 }])
    expect(await box.page('tick', { assets: refs, currency: 'EUR' })).toMatchObject({ records: 14 })
    expect(valuesOf(await box.stored())).toEqual(valuesOf(box.served()))
    expect(new Set((await box.stored()).map(q => q.asset))).toEqual(new Set(coindesk.assets.keys()))
    expect(box.sandbox.meter.summary().counts['credits']).toBe(2)
    expect(box.sandbox.meter.entries().map(e => e.keyIn)).toEqual(['header', 'header'])
  })

  it('tick-history, of any asset', async () => {
    await using box = await bench(sandboxKey)
    const page = { assets: refs.slice(5, 6), currency: 'EUR', range: days('2024-11-21', '2026-11-21') }
    expect(await box.page('tick-history', page)).toMatchObject({
      outcome: 'collected',
      records: 730,
      credits: 1,
    })
    expect(valuesOf(await box.stored())).toEqual(valuesOf(box.served()))
    const early = { ...page, assets: bitcoin, range: days('2010-07-01', '2010-08-01') }
    const begin = await box.page('tick-history', early)
    expect(begin).toMatchObject({ outcome: 'partial', records: 15 })
    expect(begin.reason).toContain('2010-07-01 to 2010-07-16: not in the answer, which begins later')
  })
})

describe('what the twin refuses', () => {
  it.each([['http-429'], ['min-api-200']])(
    'a used-up month told by %s is rate-limited, with nothing stored',
    async refusal => {
      await using box = await bench(sandboxKey, { callsPerMonth: 1, refusal })
      const page = { assets: bitcoin, currency: 'USD' }
      expect(await box.page('tick', page)).toMatchObject({ outcome: 'collected' })
      expect(await box.page('tick', page)).toMatchObject({ outcome: 'rate-limited' })
      expect(await box.stored()).toHaveLength(1)
    },
  )

  it('a wrong key is unauthorized', async () => {
    await using box = await bench('another-key')
    expect(await box.page('tick', { assets: bitcoin, currency: 'USD' })).toMatchObject({
      ...{ outcome: 'unauthorized', reason: 'CoinDesk (HTTP 401): API key is not valid.' },
    })
  })

  it('an index that is gone is a provider-error', async () => {
    await using box = await bench(undefined, { end: { goneFrom: '2026-11-21T12:00:00Z' } })
    expect(await box.sweep('quotes')).toMatchObject([{ outcome: 'provider-error', records: 0 }])
  })
})
