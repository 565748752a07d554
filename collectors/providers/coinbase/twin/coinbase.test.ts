import { describe, expect, it } from 'vitest'
import { assets } from '../../../../core/assets.ts'
import { parseIso } from '../../../../core/time.ts'
import { openTestSandbox } from '../../../../sandbox/testing.ts'

const path = '/coinbase/products/BTC-USD/ticker'

describe('Coinbase Exchange ticker', () => {
  it('sends strings, a number for the trade and a time with microseconds', async () => {
    await using box = await openTestSandbox()
    const { status, json } = await box.get(path)
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual([
      'trade_id',
      'price',
      'size',
      'bid',
      'ask',
      'volume',
      'time',
      'rfq_volume',
    ])
    expect(json.price).toMatch(/^\d{5}\.\d{2}$/)
    expect(json.time).toMatch(/^2026-11-21T12:00:\d\d\.\d{6}Z$/)
    const { trade_id, ...strings } = json
    expect([typeof trade_id, ...Object.values(strings).map(value => typeof value)]).toEqual([
      'number',
      ...Array(7).fill('string'),
    ])
    expect(box.sandbox.meter.entries()[0]?.values).toEqual([
      { sourceId: 'BTC-USD', currency: 'USD', price: json.price, observedAt: parseIso(json.time) },
    ])
  })

  it('has a rising trade and a time that never lies ahead, and one trade has one price', async () => {
    await using box = await openTestSandbox({ limits: { coinbase: { burst: 1_000, perSecond: 10 } } })
    const seen = new Map<number, string>()
    let [lastId, lastTime] = [0, 0]
    for (let step = 0; step < 60; step += 1) {
      const { json } = await box.get(path)
      const time = parseIso(json.time)
      expect(time).toBeLessThanOrEqual(box.clock.now())
      expect(box.clock.now() - time).toBeLessThan(3_000_000)
      expect(json.trade_id).toBeGreaterThanOrEqual(lastId)
      expect(json.trade_id > lastId).toBe(time > lastTime)
      expect(seen.get(json.trade_id) ?? json.price).toBe(json.price)
      seen.set(json.trade_id, json.price)
      ;[lastId, lastTime] = [json.trade_id, time]
      box.clock.advance(500)
    }
    expect(seen.size).toBeGreaterThan(15)
  })

  it('has a product in USD for each of our assets', async () => {
    await using box = await openTestSandbox()
    for (const { symbol } of assets)
      expect((await box.get(`/coinbase/products/${symbol}-USD/ticker`)).status).toBe(200)
  })

  it('says NotFound with 404', async () => {
    await using box = await openTestSandbox()
    for (const wrong of [
      '/coinbase/products/NOPE-USD/ticker',
      '/coinbase/products/',
      '/coinbase/products/btc-usd/ticker',
    ]) {
      const answer = await box.get(wrong)
      expect([answer.status, answer.text]).toEqual([404, '{"message":"NotFound"}'])
    }
  })

  it('lets 15 calls through at once, then 10 a second', async () => {
    await using box = await openTestSandbox()
    const statuses = async (calls: number): Promise<number[]> => {
      const all: number[] = []
      for (let call = 0; call < calls; call += 1) all.push((await box.get(path)).status)
      return all
    }
    expect(await statuses(16)).toEqual([...Array(15).fill(200), 429])
    box.clock.advance(1_000)
    expect(await statuses(11)).toEqual([...Array(10).fill(200), 429])
    expect(box.sandbox.meter.violations).toBe(2)
    expect((await box.get(path)).json).toEqual({ message: 'Public rate limit exceeded' })
  })
})
