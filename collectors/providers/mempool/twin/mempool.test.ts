import { describe, expect, it } from 'vitest'
import { openTestSandbox } from '../../../../sandbox/testing.ts'

const prices = '/mempool/api/v1/prices'
const historical = '/mempool/api/v1/historical-price'
const unix = (iso: string): number => Date.parse(iso) / 1_000
const currencies = ['USD', 'EUR', 'GBP', 'CAD', 'CHF', 'AUD', 'JPY']

describe('mempool.space prices', () => {
  it('are whole, in seven currencies, with one time', async () => {
    await using box = await openTestSandbox()
    const { status, json } = await box.get(prices)
    expect([status, Object.keys(json)]).toEqual([200, ['time', ...currencies]])
    expect(json.time).toBe(unix('2026-11-21T12:00:00Z'))
    for (const currency of currencies) expect(Number.isInteger(json[currency])).toBe(true)
    expect(json.JPY).toBeGreaterThan(json.USD * 100)
    expect(json.EUR).toBeLessThan(json.USD)
    expect(box.sandbox.meter.entries()[0]?.values).toMatchObject([
      { sourceId: 'BTC', currency: 'USD', price: String(json.USD) },
    ])
  })

  it('change every five minutes', async () => {
    await using box = await openTestSandbox({}, '2026-11-21T12:04:59Z')
    const first = (await box.get(prices)).text
    box.clock.advance(999)
    expect((await box.get(prices)).text).toBe(first)
    box.clock.advance(1)
    const { json } = await box.get(prices)
    expect(json.time).toBe(unix('2026-11-21T12:05:00Z'))
    expect(json.USD).not.toBe(JSON.parse(first).USD)
  })

  it('are -1 where no exchange has one', async () => {
    await using box = await openTestSandbox({ limits: { mempool: { unknown: ['CHF'] } } })
    expect((await box.get(prices)).json.CHF).toBe(-1)
    const { json } = await box.get(`${historical}?currency=CHF&timestamp=${unix('2026-11-20T12:34:56Z')}`)
    expect(json.prices[0]).toMatchObject({ time: unix('2026-11-20T12:00:00Z'), CHF: -1 })
    expect(json.prices[0].USD).toBeGreaterThan(0)
    expect(box.sandbox.meter.entries()[1]?.values).toEqual([])
  })

  it('are refused with a page beyond the limit', async () => {
    await using box = await openTestSandbox({ limits: { mempool: { burst: 2, perSecond: 0.5 } } })
    const statuses = async (count: number) => {
      const found = []
      for (let n = 0; n < count; n += 1) found.push((await box.get(prices)).status)
      return found
    }
    expect(await statuses(3)).toEqual([200, 200, 429])
    expect(box.sandbox.meter.violations).toBe(1)
    box.clock.advance(2_000)
    expect(await statuses(2)).toEqual([200, 429])
  })
})

describe('mempool.space history', () => {
  it('has the price of the hour at or before, in the currency and in USD', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${historical}?currency=EUR&timestamp=${unix('2026-11-19T23:59:59Z')}`)
    expect(json.prices).toMatchObject([{ time: unix('2026-11-19T23:00:00Z') }])
    expect(Object.keys(json.prices[0])).toEqual(['time', 'EUR', 'USD'])
    expect(Object.keys(json.exchangeRates)).toEqual(currencies.slice(1).map(code => `USD${code}`))
  })

  it('has one of each week long ago, and an invented row before the first', async () => {
    await using box = await openTestSandbox({ limits: { mempool: { hourlyDays: 30 } } })
    const timeAt = async (iso: string) =>
      (await box.get(`${historical}?currency=USD&timestamp=${unix(iso)}`)).json.prices[0]
    expect((await timeAt('2010-07-30T00:00:00Z')).time).toBe(unix('2010-07-26T00:00:00Z'))
    expect(await timeAt('2010-01-01T00:00:00Z')).toEqual({ time: 1_279_497_600, USD: 0 })
  })

  it('is null for a currency that the server lacks, and an error without a time', async () => {
    await using box = await openTestSandbox()
    const unknown = await box.get(`${historical}?currency=XXX&timestamp=1700000000`)
    expect([unknown.status, unknown.text]).toEqual([200, 'null'])
    expect((await box.get(`${historical}?currency=USD`)).status).toBe(500)
    expect((await box.get('/mempool/api/v1/other')).status).toBe(404)
  })
})
