import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sandboxKey } from '../../../../sandbox/key.ts'
import { type Body, openTestSandbox, type TestSandbox } from '../../../../sandbox/testing.ts'
import { outOfTime, unauthenticated } from './authenticate.ts'
import { sandboxSecret } from './sandbox-secret.ts'

const root = '/bitcoinaverage/indices/global'
const plain = { 'x-ba-key': sandboxKey }
const now = Date.parse('2026-11-21T12:00:30Z') / 1_000
const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: comparison with a real body of BitcoinAverage; set CRYPTOS_CAPTURES')

function signed(unix: number, secret = sandboxSecret, key = sandboxKey): Record<string, string> {
  const payload = `${unix}.${key}`
  const hex = createHmac('sha256', secret).update(payload).digest('hex')
  return { 'X-signature': `${payload}.${hex}` }
}

const entryOf = (box: TestSandbox) => box.sandbox.meter.entries().at(-1)

describe('authentication of BitcoinAverage', () => {
  it.each([
    ['the plain header', plain],
    ['a signature', signed(now)],
    ['a signature of 15 s ago', signed(now - 15)],
    ['a signature 15 s ahead', signed(now + 15)],
  ])('takes %s', async (_, headers) => {
    await using box = await openTestSandbox()
    expect((await box.get(`${root}/ticker/BTCUSD`, headers)).status).toBe(200)
    expect(entryOf(box)).toMatchObject({ keyIn: 'header', credits: 1, result: 'served' })
  })

  it.each([
    ['no header', {}, 401, unauthenticated],
    ['another key', { 'x-ba-key': 'other' }, 401, 'Invalid API key'],
    ['a signature of another key', signed(now, sandboxSecret, 'other'), 401, 'Invalid API key'],
    ['another secret', signed(now, 'other'), 401, 'Invalid signature'],
    ['a signature of 16 s ago', signed(now - 16), 403, outOfTime],
    ['a signature 16 s ahead', signed(now + 16), 403, outOfTime],
    ['half a signature', { 'X-signature': `${now}.${sandboxKey}` }, 401, 'Malformed signature'],
    ['a key in the URL only', {}, 401, unauthenticated],
  ])('refuses %s with text, for nothing', async (_, headers, status, text) => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${root}/ticker/BTCUSD?key=${sandboxKey}`, headers as Record<string, string>)
    expect([answer.status, answer.text]).toEqual([status, text])
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(entryOf(box)).toMatchObject({ credits: 0, result: 'refused', code: String(status) })
  })

  it('counts both headers of one key together', async () => {
    await using box = await openTestSandbox()
    await box.get(`${root}/ticker/BTCUSD`, plain)
    await box.get(`${root}/ticker/BTCUSD`, signed(now))
    const { json } = await box.get('/bitcoinaverage/info/ratelimits', plain)
    expect(json).toEqual({
      ...{ counter_reset: 9 * 86_400 + 11 * 3_600 + 59 * 60 + 30, total_period: '30d' },
      ...{ requests_left: 44_998, requests_per_period: 45_000 },
    })
  })
})

describe('indices of BitcoinAverage', () => {
  it('have the asked pairs, and leave out what nobody knows', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${root}/ticker/short?crypto=BTC,XRP,NOPE&fiat=USD,EUR`, plain)
    expect(Object.keys(json)).toEqual(['timestamp', 'BTCUSD', 'BTCEUR', 'XRPUSD', 'XRPEUR'])
    expect(json.timestamp).toBe(now - 30)
    expect(json.BTCUSD.bid).toBeLessThan(json.BTCUSD.last)
    expect(entryOf(box)?.values.map(v => [v.sourceId, v.currency])).toEqual([
      ...[
        ['BTC', 'USD'],
        ['BTC', 'EUR'],
        ['XRP', 'USD'],
        ['XRP', 'EUR'],
      ],
    ])
  })

  it('say in all and alone the same of a pair', async () => {
    await using box = await openTestSandbox()
    const single = (await box.get(`${root}/ticker/BTCUSD`, plain)).json
    expect((await box.get(`${root}/ticker/all?crypto=BTC&fiat=USD`, plain)).json).toEqual({ BTCUSD: single })
    expect(single).toMatchObject({ display_symbol: 'BTC-USD', display_timestamp: '2026-11-21 12:00:00' })
    const { last, high, low, open, changes } = single
    expect(high >= last && low <= last).toBe(true)
    expect(changes.price.day).toBeCloseTo(last - open.day, 6)
    expect(changes.percent.day).toBeCloseTo(((last - open.day) / open.day) * 100, 1)
  })

  it.skipIf(!captures)('has the members of a real ticker', async () => {
    const file = join(captures ?? '', 'bitcoinaverage', 'apiv2_ticker_btcusd_2018.json')
    const real: Body = JSON.parse(readFileSync(file, 'utf8'))
    await using box = await openTestSandbox()
    const { display_symbol, ...mine } = (await box.get(`${root}/ticker/BTCUSD`, plain)).json
    const shape = (value: Body): Body =>
      typeof value === 'object'
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]))
        : typeof value
    expect(display_symbol).toBe('BTC-USD')
    expect(shape(mine)).toEqual(shape(real))
    expect(Object.keys(mine)).toEqual(Object.keys(real))
  })

  it('change once a minute', async () => {
    await using box = await openTestSandbox()
    const last = async () => (await box.get(`${root}/ticker/BTCUSD`, plain)).json.last
    const first = await last()
    box.clock.advance(29_999)
    expect(await last()).toBe(first)
    box.clock.advance(1)
    expect(await last()).not.toBe(first)
  })

  it.each(['/ticker/BTCXXX', '/ticker/', '/other', '/history/NOPEUSD?period=daily&format=json'])(
    'refuse %s with 404',
    async path => {
      await using box = await openTestSandbox()
      expect((await box.get(`${root}${path}`, plain)).status).toBe(404)
      expect(entryOf(box)?.credits).toBe(0)
    },
  )
})

describe('history of BitcoinAverage', () => {
  it.each([
    ['daily', 1_441, '2026-11-21 12:00:00', '2026-11-21 11:59:00'],
    ['monthly', 720, '2026-11-21 12:00:00', '2026-11-21 11:00:00'],
    ['alltime', 21, '2026-11-21 00:00:00', '2026-11-20 00:00:00'],
  ])('%s comes newest first', async (period, about, newest, next) => {
    await using box = await openTestSandbox({
      limits: { bitcoinaverage: { historyFrom: '2026-11-01T00:00:00Z' } },
    })
    const { json } = await box.get(`${root}/history/BTCUSD?period=${period}&format=json`, plain)
    expect([json[0].time, json[1].time]).toEqual([newest, next])
    expect(Math.abs(json.length - about)).toBeLessThanOrEqual(1)
    expect(Object.keys(json[0])).toEqual(['time', 'high', 'low', 'open', 'average'])
    for (const row of json) expect(row.low <= row.average && row.average <= row.high).toBe(true)
    expect(entryOf(box)?.values).toHaveLength(json.length)
  })

  it('needs a period that there is, JSON, and a plan that has it', async () => {
    const limits = { bitcoinaverage: { hasHistory: false } }
    await using box = await openTestSandbox()
    await using other = await openTestSandbox({ limits })
    const path = `${root}/history/BTCUSD`
    expect((await box.get(`${path}?period=weekly&format=json`, plain)).status).toBe(400)
    expect((await box.get(`${path}?period=daily&format=csv`, plain)).status).toBe(400)
    const refused = await other.get(`${path}?period=daily&format=json`, plain)
    expect([refused.status, refused.text]).toEqual([403, 'Higher level API Keys required'])
  })
})

describe('the plan of BitcoinAverage', () => {
  it.each([
    ['month', '30d'],
    ['day', '24h'],
  ])('of requests a %s ends with 429', async (period, total) => {
    await using box = await openTestSandbox({ limits: { bitcoinaverage: { requestsPerPeriod: 2, period } } })
    const ask = async () => (await box.get(`${root}/ticker/BTCUSD`, plain)).status
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
    expect(box.sandbox.meter.violations).toBe(1)
    const { json } = await box.get('/bitcoinaverage/info/ratelimits', plain)
    expect(json).toMatchObject({ total_period: total, requests_left: 0, requests_per_period: 2 })
    box.clock.advance(json.counter_reset * 1_000)
    expect(await ask()).toBe(200)
  })

  it('is used elsewhere, never past its end', async () => {
    await using box = await openTestSandbox({ limits: { bitcoinaverage: { requestsPerPeriod: 5 } } })
    box.sandbox.faults.add({ kind: 'foreign-use', credits: 99, endpoint: 'ratelimits' })
    const { json } = await box.get('/bitcoinaverage/info/ratelimits', plain)
    expect(json.requests_left).toBe(0)
    expect(box.sandbox.meter.violations).toBe(0)
  })

  it('does not matter where the API is closed: 200 with a message', async () => {
    await using closed = await openTestSandbox({ limits: { bitcoinaverage: { isClosed: true } } })
    await using open = await openTestSandbox()
    for (const answer of [
      await closed.get(`${root}/ticker/BTCUSD`, plain),
      // The paths of the first API.
      await open.get('/bitcoinaverage/ticker/global/USD/', plain),
    ])
      expect([answer.status, answer.json]).toEqual([200, { message: 'This API is no longer available' }])
  })
})
