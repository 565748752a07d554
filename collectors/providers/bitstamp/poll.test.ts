import { afterEach, describe, expect, it } from 'vitest'
import { MINUTE, parseIso, toIso } from '../../../core/time.ts'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { knownAssetRefs } from '../../assets.ts'
import { collectPage } from '../../poll.ts'
import { openTestPoll } from '../../testing/test-poll.ts'
import { twinContract } from '../../twin.contract.ts'
import type { Page } from '../../provider.ts'
import { bitstamp } from './index.ts'

// One call an asset: three of them show what thirteen would.
const assets = ['bitcoin', 'ethereum', 'dogecoin']
twinContract({ provider: bitstamp, assets })
twinContract({ provider: bitstamp, assets, currency: 'EUR', sweeps: 20 })
twinContract({ provider: bitstamp, dataset: 'history' })

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing[Symbol.asyncDispose]()
})

async function setup(limits: Readonly<Record<string, unknown>> = {}) {
  const box = await openTestSandbox({ limits: { bitstamp: limits } })
  opened.push(box)
  const poll = await openTestPoll(box.sandbox.url, box.clock)
  opened.push(poll)
  const source = await poll.source(bitstamp, box.sandbox.baseUrl('bitstamp'))
  const { signal } = new AbortController()
  const collect = (asset = 'bitcoin', more: Partial<Page> = {}) => {
    const found = bitstamp.datasets.find(d => d.kind === (more.range ? 'history' : 'quotes'))
    if (!found) throw new Error('no dataset')
    const page = { assets: knownAssetRefs(bitstamp).filter(r => r.asset === asset), currency: 'USD', ...more }
    const slot = `bitstamp/${found.id}/${toIso(box.clock.now())}/${asset}-${page.currency}`
    return collectPage(poll.ports, { source, dataset: found, page, slot, signal })
  }
  return { ...box, collect, meter: box.sandbox.meter }
}

describe('Bitstamp against its twin', () => {
  it('knows every asset of its table in dollars', async () => {
    const test = await setup()
    for (const { asset } of knownAssetRefs(bitstamp))
      expect(await test.collect(asset), asset).toMatchObject({ outcome: 'collected', records: 1 })
  })

  it('tells a market that there is not', async () => {
    const test = await setup()
    expect(await test.collect('uniswap', { currency: 'EUR' })).toMatchObject({ outcome: 'bad-request' })
    expect(await test.collect('uniswap')).toMatchObject({ outcome: 'collected' })
  })

  it('gets past closes in either currency', async () => {
    const test = await setup()
    const range = { from: parseIso('2026-11-01T00:00:00Z'), to: parseIso('2026-11-21T00:00:00Z') }
    for (const currency of ['USD', 'EUR'])
      expect(await test.collect('bitcoin', { currency, range })).toMatchObject({ records: 20 })
    expect(test.meter.entries().map(e => [e.values.length, e.values[0]?.currency])).toEqual([
      [20, 'USD'],
      [20, 'EUR'],
    ])
  })

  it('gets none of today, and leaves out the older day that comes in its place', async () => {
    const test = await setup()
    const range = { from: parseIso('2026-11-01T00:00:00Z'), to: parseIso('2026-11-22T00:00:00Z') }
    expect(await test.collect('bitcoin', { range })).toMatchObject({ outcome: 'collected', records: 20 })
    expect(test.meter.entries()[0]?.values).toHaveLength(21)
  })

  it('gets none from before the listing', async () => {
    const test = await setup()
    const range = { from: parseIso('2011-08-01T00:00:00Z'), to: parseIso('2011-08-20T00:00:00Z') }
    const end = await test.collect('bitcoin', { range })
    expect(end).toMatchObject({ outcome: 'partial', records: 2 })
    expect(end.reason).toContain('2011-08-01 to 2011-08-17: not in the answer, which begins later')
  })

  it.each(['json-429', 'json-400', 'page-403', 'text-200'])(
    'stays away for the block, said as %s, and calls again after it',
    async refusal => {
      const test = await setup({ callsPerWindow: 2, refusal })
      const outcomes: string[] = []
      for (let minute = 0; minute < 18; minute += 1) {
        outcomes.push((await test.collect()).outcome)
        test.clock.advance(MINUTE)
      }
      const away = Array.from({ length: 14 }, () => 'denied-by-quota')
      expect(outcomes).toEqual(['collected', 'collected', 'rate-limited', ...away, 'collected'])
      expect(test.meter.entries().filter(e => e.result === 'refused')).toHaveLength(1)
    },
  )

  it('waits at the firewall', async () => {
    const test = await setup({ isFirewalled: true })
    expect(await test.collect()).toMatchObject({ outcome: 'rate-limited' })
    expect(await test.collect('ethereum')).toMatchObject({ outcome: 'denied-by-quota' })
    expect(test.meter.entries()).toHaveLength(1)
  })
})
