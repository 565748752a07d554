import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../../core/time.ts'
import { VirtualClock } from '../../../../core/virtual-clock.ts'
import { Meter } from '../../../../sandbox/meter.ts'
import { basic2021, basic2026 } from '../../../../sandbox/plan.ts'
import { seededWalk } from '../../../../sandbox/prices.ts'
import { openTestSandbox } from '../../../../sandbox/testing.ts'
import type { Reply } from '../../../../sandbox/types.ts'
import { CoinMarketCapTwin } from './twin.ts'

const refusals = new Set(['1008', '1009', '1010', '1011'])

const ids = (count: number): string => {
  const known = [1, 1027, 52, 5426, 74, 2010]
  return [...known, ...Array.from({ length: Math.max(0, count - 6) }, (_, i) => 92_001 + i)]
    .slice(0, count)
    .join(',')
}

describe('what a call costs', () => {
  it.each([
    [`/v3/cryptocurrency/quotes/latest?id=${ids(1)}`, 1],
    [`/v3/cryptocurrency/quotes/latest?id=${ids(100)}`, 1],
    [`/v3/cryptocurrency/quotes/latest?id=${ids(101)}`, 2],
    [`/v3/cryptocurrency/quotes/latest?id=${ids(200)}&convert=USD,EUR,BTC`, 4],
    [`/v2/cryptocurrency/quotes/latest?id=${ids(101)}`, 2],
    [`/v1/cryptocurrency/quotes/latest?id=${ids(101)}`, 2],
    ['/v3/cryptocurrency/listings/latest', 1],
    ['/v3/cryptocurrency/listings/latest?limit=200', 1],
    ['/v3/cryptocurrency/listings/latest?limit=201', 2],
    ['/v3/cryptocurrency/listings/latest?limit=5000&convert=USD,EUR', 3],
    [`/v2/simple/price?id=${ids(250)}`, 1],
    [`/v2/simple/price?id=${ids(251)}&include_market_cap=true`, 2],
    ['/v2/simple/price?id=1&convert_id=2781,2790', 2],
    ['/v1/cryptocurrency/map', 0],
    ['/v1/key/info', 0],
    ['/v3/cryptocurrency/quotes/historical?id=1&interval=5m&count=100', 1],
    ['/v3/cryptocurrency/quotes/historical?id=1&interval=5m&count=101', 2],
    ['/v3/cryptocurrency/quotes/historical?id=1,2&interval=5m&count=100&convert=USD,EUR', 3],
    // Only what is returned is counted.
    [`/v3/cryptocurrency/quotes/latest?id=${ids(100)},999998,999999`, 1],
  ])('%s', async (path, credits) => {
    await using box = await openTestSandbox()
    const { json } = await box.cmc(path)
    expect(json.status.credit_count).toBe(credits)
    const info = (await box.cmc('/v1/key/info')).json.data.usage
    expect([info.current_month.credits_used, info.current_day.credits_used]).toEqual([credits, credits])
    expect(info.current_minute.requests_made).toBe(2)
    expect(box.sandbox.meter.entries()[0]).toMatchObject({
      credits,
      result: 'served',
      keyIn: 'header',
      delivered: true,
    })
  })
})

const quote = '/v3/cryptocurrency/quotes/latest?id=1'

describe('limits of the plan', () => {
  it('is the free plan of 2026 unless told otherwise', async () => {
    await using box = await openTestSandbox()
    const { plan } = (await box.cmc('/v1/key/info')).json.data
    expect(plan).toEqual({
      credit_limit_monthly: 15_000,
      credit_limit_monthly_reset: 'In 9 days, 11 hours, 59 minutes',
      credit_limit_monthly_reset_timestamp: '2026-12-01T00:00:00.000Z',
      rate_limit_minute: 50,
    })
  })

  it('can be the plan before, with a daily limit', async () => {
    await using box = await openTestSandbox({ plan: basic2021 })
    const { plan, usage } = (await box.cmc('/v1/key/info')).json.data
    expect(plan).toMatchObject({
      credit_limit_monthly: 10_000,
      credit_limit_daily: 333,
      rate_limit_minute: 30,
    })
    expect(plan.credit_limit_daily_reset_timestamp).toBe('2026-11-22T00:00:00.000Z')
    expect(usage.current_day).toEqual({ credits_used: 0, credits_left: 333 })
  })

  it('refuses the call after the last of a UTC minute, key/info too, and opens with the next', async () => {
    await using box = await openTestSandbox({ plan: { callsPerMinute: 3 } }, '2026-11-21T12:00:59.999Z')
    for (const path of [quote, '/v1/key/info', quote]) expect((await box.cmc(path)).status).toBe(200)
    for (const path of [quote, '/v1/key/info']) {
      const refused = await box.cmc(path)
      expect([refused.status, refused.json.status.error_code, refused.json.status.credit_count]).toEqual([
        429, 1008, 0,
      ])
      expect(refused.json.status.error_message).toContain('reset every minute')
      expect(refused.headers.get('retry-after')).toBeNull()
    }
    expect(box.sandbox.meter.violations).toBe(2)
    box.clock.advance(1)
    expect((await box.cmc(quote)).status).toBe(200)
    expect(box.sandbox.meter.summary().scopes[0]?.busiestMinute?.calls).toBe(5)
  })

  it('refuses when the day is used up, and opens at 00:00 UTC', async () => {
    await using box = await openTestSandbox({ plan: { creditsPerDay: 2 } }, '2026-11-21T23:59:59Z')
    for (const status of [200, 200, 429]) expect((await box.cmc(quote)).status).toBe(status)
    const refused = (await box.cmc('/v1/cryptocurrency/map')).json.status
    expect(refused).toMatchObject({
      error_code: 1009,
      error_message: expect.stringContaining('daily rate limit'),
    })
    expect((await box.cmc('/v1/key/info')).json.data.usage.current_day).toEqual({
      credits_used: 2,
      credits_left: 0,
    })
    box.clock.advance(1_000)
    expect((await box.cmc(quote)).status).toBe(200)
    expect((await box.cmc('/v1/key/info')).json.data.usage.current_month.credits_used).toBe(3)
  })

  it('refuses when the month is used up, and opens with the next calendar month', async () => {
    await using box = await openTestSandbox({ plan: { creditsPerMonth: 2 } }, '2026-11-30T23:59:59.999Z')
    for (const status of [200, 200, 429]) expect((await box.cmc(quote)).status).toBe(status)
    expect((await box.cmc(quote)).json.status).toMatchObject({ error_code: 1010 })
    expect(box.sandbox.meter.violationList.map(v => v.what)).toEqual(['1010', '1010'])
    box.clock.advance(1)
    expect((await box.cmc(quote)).status).toBe(200)
    const months = box.sandbox.meter.summary().scopes[0]?.months.map(month => month.credits)
    expect(months).toEqual([2, 1])
  })

  it('charges a dear call past the limit, as a gateway does that looks before, and calls it a violation', async () => {
    await using box = await openTestSandbox({ plan: { creditsPerMonth: 2 } })
    await box.cmc(`${quote}&convert=USD,EUR,BTC`)
    expect(box.sandbox.meter.violationList).toEqual([
      expect.objectContaining({ what: 'over-month', detail: '3 of 2 credits' }),
    ])
    expect((await box.cmc('/v1/key/info')).json.data.usage.current_month).toEqual({
      credits_used: 3,
      credits_left: 0,
    })
  })

  it('tells the credits late where the plan says so', async () => {
    await using box = await openTestSandbox({ plan: { usageLagMs: 120_000 } })
    const told = async (): Promise<number> =>
      (await box.cmc('/v1/key/info')).json.data.usage.current_month.credits_used
    await box.cmc(quote)
    box.clock.advance(119_999)
    expect(await told()).toBe(0)
    box.clock.advance(1)
    expect(await told()).toBe(1)
  })

  it('counts each key by itself', async () => {
    await using box = await openTestSandbox({ keys: ['one', 'two'], plan: { callsPerMinute: 1 } })
    for (const [key, status] of [
      ['one', 200],
      ['two', 200],
      ['one', 429],
    ] as const) {
      const answer = await box.get(`/coinmarketcap${quote}`, { 'x-cmc_pro_api_key': key })
      expect(answer.status).toBe(status)
    }
  })

  it('takes a key in the query too, and the meter notes the leak but never the key', async () => {
    await using box = await openTestSandbox({ keys: ['a-very-secret-key'] })
    expect((await box.get(`/coinmarketcap${quote}&CMC_PRO_API_KEY=a-very-secret-key`)).status).toBe(200)
    expect(box.sandbox.meter.entries()[0]?.keyIn).toBe('query')
    const told = JSON.stringify([box.sandbox.meter.summary(), box.sandbox.meter.entries()])
    expect(told).not.toContain('a-very-secret-key')
  })
})

describe('keyless', () => {
  const keyless = `/coinmarketcap/public-api${quote}`

  it('answers without a key, says one credit and bills none', async () => {
    await using box = await openTestSandbox()
    for (const path of [
      quote,
      '/v3/cryptocurrency/listings/latest?limit=201',
      '/v2/simple/price?id=1',
      '/v1/cryptocurrency/map',
    ])
      expect((await box.get(`/coinmarketcap/public-api${path}`)).json.status.credit_count).toBe(1)
    expect(box.sandbox.meter.summary().counts).toMatchObject({ served: 4, credits: 0 })
    expect(box.sandbox.meter.entries()[0]?.scope).toBe('ip:127.0.0.1')
  })

  it('wants a key for the rest', async () => {
    await using box = await openTestSandbox()
    for (const path of [
      '/v1/key/info',
      '/v2/cryptocurrency/quotes/latest?id=1',
      '/v3/cryptocurrency/quotes/historical?id=1',
    ]) {
      const answer = await box.get(`/coinmarketcap/public-api${path}`)
      expect([answer.status, answer.json.status.error_code]).toEqual([403, 1005])
    }
  })

  it('has a limit per address', async () => {
    await using box = await openTestSandbox({ plan: { keylessCallsPerMinute: 2 } })
    for (const status of [200, 200, 429]) expect((await box.get(keyless)).status).toBe(status)
    expect((await box.get(keyless)).json.status.error_code).toBe(1011)
    expect(box.sandbox.meter.violations).toBe(2)
    expect((await box.cmc(quote)).status).toBe(200)
  })
})

describe('any order of calls and moves of the clock', () => {
  const plan = { ...basic2026, callsPerMinute: 3, creditsPerDay: 7, creditsPerMonth: 15 }
  const step = fc.oneof(
    fc.record({ kind: fc.constant('call' as const), converts: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 20_000, 60_000, 3_600_000, 86_400_000),
    }),
  )

  it('is counted as a plain count over the log says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const clock = new VirtualClock(parseIso('2026-11-29T23:59:00Z'))
        const meter = new Meter({ clock, refusals })
        const twin = new CoinMarketCapTwin({
          clock,
          plan,
          prices: seededWalk(1),
          keys: ['k'],
          meter,
          limits: {},
        })
        const log: { minute: string; day: string; month: string; credits: number }[] = []
        for (const { ...what } of steps) {
          if (what.kind === 'wait') {
            clock.advance(what.ms)
            continue
          }
          const iso = new Date(clock.now() / 1_000).toISOString()
          const [minute, day, month] = [iso.slice(0, 16), iso.slice(0, 10), iso.slice(0, 7)]
          const credits = (period: 'day' | 'month', value: string): number =>
            log.filter(entry => entry[period] === value).reduce((sum, entry) => sum + entry.credits, 0)
          const want =
            log.filter(entry => entry.minute === minute).length >= 3
              ? '1008'
              : credits('month', month) >= 15
                ? '1010'
                : credits('day', day) >= 7
                  ? '1009'
                  : '0'
          const reply = call(twin, clock, what.converts)
          expect(reply.code).toBe(want)
          expect(reply.credits).toBe(want === '0' ? what.converts : 0)
          log.push({ minute, day, month, credits: reply.credits })
        }
      }),
      { numRuns: 200 },
    )
  })
})

function call(twin: CoinMarketCapTwin, clock: VirtualClock, converts: number): Reply {
  const convert = ['USD', 'EUR', 'BTC'].slice(0, converts).join(',')
  return twin.answer({
    at: clock.now(),
    provider: 'coinmarketcap',
    endpoint: '/v2/simple/price',
    query: new URLSearchParams({ id: '1', convert }),
    headers: { 'x-cmc_pro_api_key': 'k' },
    ip: '127.0.0.1',
    priceFactor: 1,
  })
}
