import { afterEach, describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, parseIso, SECOND, toIso } from '../../../core/time.ts'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { knownAssetRefs } from '../../assets.ts'
import { collectPage } from '../../poll.ts'
import type { Page } from '../../provider.ts'
import { openTestPoll } from '../../testing/test-poll.ts'
import { twinContract } from '../../twin.contract.ts'
import { binance } from './index.ts'

twinContract({ provider: binance })
twinContract({ provider: binance, dataset: 'history' })

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing[Symbol.asyncDispose]()
})

/** The collector against the twin, on one clock. */
async function setup(limits: Readonly<Record<string, unknown>> = {}) {
  const box = await openTestSandbox({ limits: { binance: limits } })
  opened.push(box)
  const poll = await openTestPoll(box.sandbox.url, box.clock)
  opened.push(poll)
  const source = await poll.source(binance, box.sandbox.baseUrl('binance'))
  const { signal } = new AbortController()
  const collect = (dataset = 'quotes', more: Partial<Page> = {}) => {
    const found = binance.datasets.find(d => d.id === dataset)
    if (!found) throw new Error(dataset)
    const page = { assets: knownAssetRefs(binance), currency: 'USDT', ...more }
    const slot = `binance/${dataset}/${toIso(box.clock.now())}/0`
    return collectPage(poll.ports, { source, dataset: found, page, slot, signal })
  }
  const stored = async () => {
    const entries = await poll.ledger.outbox.pending(100)
    return entries.length
  }
  return { ...box, collect, stored, meter: box.sandbox.meter, ledger: poll.ledger }
}

describe('Binance against its twin', () => {
  it('gets all pairs of the table in one call of weight 2', async () => {
    const test = await setup()
    expect(await test.collect()).toMatchObject({ outcome: 'collected', records: 14, credits: 0 })
    const [entry] = test.meter.entries()
    expect(entry?.values).toHaveLength(14)
    expect(new Set(entry?.values.map(v => v.currency))).toEqual(new Set(['USDT']))
  })

  it('gets past closes of one pair, and not of today', async () => {
    const test = await setup()
    const [bitcoin] = knownAssetRefs(binance)
    const range = { from: parseIso('2026-11-01T00:00:00Z'), to: parseIso('2026-11-22T00:00:00Z') }
    const got = await test.collect('history', { assets: bitcoin ? [bitcoin] : [], range })
    expect(got).toMatchObject({ outcome: 'collected', records: 20 })
    expect(test.meter.entries()[0]?.values).toHaveLength(20)
  })

  it('never calls on after a 429: no ban, however often a sweep is due', async () => {
    const test = await setup({ weightPerMinute: 2, patience: 0 })
    const outcomes: string[] = []
    for (let sweep = 0; sweep < 60; sweep += 1) {
      outcomes.push((await test.collect()).outcome)
      test.clock.advance(5 * SECOND)
    }
    const statuses = test.meter.entries().map(entry => entry.status)
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    expect(statuses.length).toBeLessThanOrEqual(12)
    expect(new Set(outcomes)).toEqual(new Set(['collected', 'rate-limited', 'denied-by-quota']))
  })

  it('waits out a ban that somebody else at the address has earned', async () => {
    const test = await setup({ weightPerMinute: 2, patience: 0, banMs: HOUR })
    for (let call = 0; call < 3; call += 1) await test.get('/binance/api/v3/ticker/24hr?symbol=BTCUSDT')
    expect(await test.collect()).toMatchObject({ outcome: 'rate-limited' })
    const calls = test.meter.entries().length
    for (let minute = 0; minute < 59; minute += 1) {
      test.clock.advance(MINUTE)
      expect(await test.collect()).toMatchObject({ outcome: 'denied-by-quota' })
    }
    expect(test.meter.entries()).toHaveLength(calls)
    test.clock.advance(MINUTE)
    expect(await test.collect()).toMatchObject({ outcome: 'collected' })
  })

  it('rests near the limit with its answer kept', async () => {
    const test = await setup()
    for (let call = 0; call < 68; call += 1) await test.get('/binance/api/v3/ticker/24hr')
    expect(await test.collect()).toMatchObject({ outcome: 'collected', records: 14 })
    test.clock.advance(10 * SECOND)
    const denied = await test.collect()
    expect([denied.outcome, toIso(denied.retryAt as never)]).toEqual([
      'denied-by-quota',
      '2026-11-21T12:01:00.000Z',
    ])
    expect(await test.stored()).toBe(1)
  })

  it('tells a country that is not served, and a firewall', async () => {
    const geo = await setup({ isGeoBlocked: true })
    const blocked = await geo.collect()
    expect(blocked).toMatchObject({ outcome: 'unauthorized' })
    expect(blocked.reason).toMatch(/country of this address/)
    const wall = await setup({ isFirewalled: true })
    expect(await wall.collect()).toMatchObject({ outcome: 'rate-limited' })
    expect(await wall.collect()).toMatchObject({ outcome: 'denied-by-quota' })
    expect(wall.meter.entries()).toHaveLength(1)
    wall.clock.advance(DAY)
    expect(await wall.collect()).toMatchObject({ outcome: 'rate-limited' })
  })
})
