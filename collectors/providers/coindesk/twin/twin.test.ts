import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../../../core/time.ts'
import { sandboxKey } from '../../../../sandbox/key.ts'
import { openTestSandbox, type TestSandbox } from '../../../../sandbox/testing.ts'
import { rateText, ukTimeOf } from './bpi-text.ts'
import { parseIso } from '../../../../core/time.ts'

const bpi = '/coindesk/v1/bpi'
const data = '/coindesk/index/cc/v1'
const withKey = { authorization: `Apikey ${sandboxKey}` }
const ask = (box: TestSandbox, path: string) => box.get(`${data}${path}`, withKey)
const tickPath = '/latest/tick?market=cadli&instruments='
const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: comparison with real CoinDesk bodies; set CRYPTOS_CAPTURES')
const real = (name: string) => JSON.parse(readFileSync(join(captures ?? '', 'coindesk', name), 'utf8'))

describe('the Bitcoin Price Index', () => {
  it('has USD, GBP and EUR with entities, and new prices each minute', async () => {
    await using box = await openTestSandbox()
    const { status, json, text } = await box.get(`${bpi}/currentprice.json`)
    expect([status, Object.keys(json)]).toEqual([200, ['time', 'disclaimer', 'chartName', 'bpi']])
    expect(Object.keys(json.bpi)).toEqual(['USD', 'GBP', 'EUR'])
    expect(Object.keys(json.bpi.USD)).toEqual(['code', 'symbol', 'rate', 'description', 'rate_float'])
    expect([json.bpi.GBP.code, json.bpi.GBP.symbol]).toEqual(['GBP', '&pound;'])
    expect(json.time).toEqual({
      updated: 'Nov 21, 2026 12:00:00 UTC',
      updatedISO: '2026-11-21T12:00:00+00:00',
      updateduk: 'Nov 21, 2026 at 12:00 GMT',
    })
    box.clock.advance(29_999)
    expect((await box.get(`${bpi}/currentprice.json`)).text).toBe(text)
    box.clock.advance(1)
    const next = (await box.get(`${bpi}/currentprice.json`)).json
    expect(next.bpi.USD.rate_float).not.toBe(json.bpi.USD.rate_float)
    const [first] = box.sandbox.meter.entries()
    expect(first).toMatchObject({ scope: 'ip:127.0.0.1/coindesk-bpi', credits: 0, keyIn: 'none' })
    const observedAt = parseIso('2026-11-21T12:00:00Z')
    expect(first?.values).toEqual([
      { sourceId: 'BTC', currency: 'USD', price: String(json.bpi.USD.rate_float), observedAt },
    ])
  })

  it('has one more currency by its code in any case, without symbol and chart name', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${bpi}/currentprice/jpy.json`)
    expect(Object.keys(json)).toEqual(['time', 'disclaimer', 'bpi'])
    expect(Object.keys(json.bpi)).toEqual(['USD', 'JPY'])
    expect(Object.keys(json.bpi.JPY)).toEqual(['code', 'rate', 'description', 'rate_float'])
    expect(Object.keys((await box.get(`${bpi}/currentprice/USD.json`)).json.bpi)).toEqual(['USD'])
    const btc = await box.get(`${bpi}/currentprice/BTC.json`)
    expect(btc.json.bpi.BTC).toMatchObject({ rate: '1.0000', rate_float: 1 })
    const none = await box.get(`${bpi}/currentprice/XYZ.json`)
    expect([none.status, none.text]).toEqual([404, 'Sorry, that currency was not found'])
    expect(none.headers.get('content-type')).toMatch(/^text/)
    const list = await box.get(`${bpi}/supported-currencies.json`)
    expect(list.json).toContainEqual({ currency: 'GBP', country: 'British Pound Sterling' })
  })

  it.each([
    ['57756.2984', '2021-01-08T00:03:00Z', '57,756.2984'],
    ['950.5', '2017-01-08T00:03:00Z', '950.5000'],
    ['45987.8996', '2024-08-18T04:19:23Z', '45,987.9'],
    ['59524.4038', '2024-08-18T04:19:23Z', '59,524.404'],
    ['12345678.9', '2024-08-18T04:19:23Z', '12,345,678.9'],
    ['99999.9999', '2025-01-01T00:00:00Z', '100,000'],
  ])('writes %s at %s as %s', (price, at, rate) => {
    expect(rateText(price, parseIso(at))).toBe(rate)
  })

  it.each([
    ['2024-08-18T04:19:23Z', 'Aug 18, 2024 at 05:19 BST'],
    ['2024-03-31T00:59:00Z', 'Mar 31, 2024 at 00:59 GMT'],
    ['2024-03-31T01:00:00Z', 'Mar 31, 2024 at 02:00 BST'],
    ['2024-10-27T00:59:00Z', 'Oct 27, 2024 at 01:59 BST'],
    ['2024-10-27T01:00:00Z', 'Oct 27, 2024 at 01:00 GMT'],
  ])('%s is %s', (at, text) => {
    expect(ukTimeOf(parseIso(at))).toBe(text)
  })

  it('has closes from start to end, 31 days else, never today', async () => {
    await using box = await openTestSandbox()
    const close = async (query: string) => (await box.get(`${bpi}/historical/close.json${query}`)).json
    const asked = await close('?start=2026-11-17&end=2026-11-30&currency=eur')
    expect(Object.keys(asked.bpi)).toEqual(['2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20'])
    expect(asked.disclaimer).toMatch(/BPI value data returned as EUR\.$/)
    expect(asked.time.updatedISO).toBe('2026-11-21T00:03:00+00:00')
    expect(Object.keys((await close('')).bpi)).toHaveLength(31)
    expect(Object.keys((await close('?for=yesterday')).bpi)).toEqual(['2026-11-20'])
    expect(box.sandbox.meter.entries()[0]?.values[0]).toEqual({
      ...{ sourceId: 'BTC', currency: 'EUR', price: String(asked.bpi['2026-11-17']) },
      observedAt: parseIso('2026-11-17T23:59:59.999999Z'),
    })
  })

  it.each([
    ['start=2026-11-01&end=2026-11-02&currency=XYZ', 404, 'Sorry, that currency was not found'],
    ['start=2010-07-16&end=2026-11-02', 404, /only covers data from 2010-07-17 onwards\.$/],
    ['start=2026-11-03&end=2026-11-02', 404, /end date is before your start date\.$/],
    ['start=2026-11-21&end=2026-11-21', 500, 'No results returned from database'],
    ['start=soon&end=2026-11-21', 500, 'No results returned from database'],
  ])('answers %s with %i', async (query, status, text) => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${bpi}/historical/close.json?${query}`)
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', values: [] })
  })

  it.skipIf(!captures)('has the members and types of real closes', async () => {
    const want = real('bpi_historical_close_aud.json')
    await using box = await openTestSandbox({}, '2021-01-08T09:00:00Z')
    const { json } = await box.get(`${bpi}/historical/close.json?start=2021-01-01&end=2021-01-07`)
    expect(Object.keys(json)).toEqual(Object.keys(want))
    expect(Object.keys(json.bpi)).toEqual(Object.keys(want.bpi))
    expect(json.time).toEqual(want.time)
    expect(json.disclaimer).toBe(want.disclaimer.replace('AUD', 'USD'))
    for (const price of Object.values(json.bpi)) expect(typeof price).toBe('number')
  })
})

describe('the end of the Bitcoin Price Index', () => {
  const end = {
    mislabelFrom: '2026-11-21T12:10:00Z',
    freezeFrom: '2026-11-21T13:00:00Z',
    goneFrom: '2026-12-20T00:00:00Z',
  }

  it('is USD labelled GBP, then one value for weeks while the time goes on, then 503', async () => {
    await using box = await openTestSandbox({ limits: { coindesk: { end } } })
    const current = async () => (await box.get(`${bpi}/currentprice.json`)).json
    const good = await current()
    expect(good.bpi.GBP.rate_float).toBeLessThan(good.bpi.USD.rate_float * 0.95)
    box.clock.advance(10 * MINUTE)
    const wrong = await current()
    expect(wrong.bpi.GBP).toMatchObject({
      code: 'GBP',
      rate_float: wrong.bpi.USD.rate_float,
      rate: wrong.bpi.USD.rate,
    })
    const closes = (
      await box.get(`${bpi}/historical/close.json?start=2026-11-20&end=2026-11-20&currency=GBP`)
    ).json
    const inUsd = (await box.get(`${bpi}/historical/close.json?start=2026-11-20&end=2026-11-20`)).json
    expect([closes.bpi, closes.disclaimer]).toEqual([inUsd.bpi, expect.stringMatching(/returned as GBP\.$/)])
    box.clock.advance(HOUR)
    const frozen = await current()
    expect(frozen.bpi.USD.rate_float).not.toBe(wrong.bpi.USD.rate_float)
    box.clock.advance(20 * DAY)
    const later = await current()
    expect(later.bpi).toEqual(frozen.bpi)
    expect([frozen.time.updatedISO, later.time.updatedISO]).toEqual([
      ...['2026-11-21T13:10:00+00:00', '2026-12-11T13:10:00+00:00'],
    ])
    box.clock.advance(10 * DAY)
    expect((await box.get(`${bpi}/currentprice.json`)).status).toBe(503)
    expect((await ask(box, `${tickPath}BTC-USD`)).status).toBe(200)
  })

  it('refuses a time that is none', async () => {
    await expect(
      openTestSandbox({ limits: { coindesk: { end: { goneFrom: 'soon' } } } }),
    ).rejects.toMatchObject({
      code: 'CRY_VALUE_INVALID',
    })
  })
})

describe('the Data API', () => {
  it('wants a key, in the header or the query', async () => {
    await using box = await openTestSandbox()
    const none = await box.get(`${data}${tickPath}BTC-USD`)
    expect([none.status, none.json.Data]).toEqual([401, {}])
    expect(none.json.Err).toMatchObject({ type: 2, message: expect.stringMatching(/^API key required/) })
    expect(none.json.Err.http_status_code).toBe(401)
    expect((await box.get(`${data}${tickPath}BTC-USD`, { authorization: 'Apikey other' })).status).toBe(401)
    expect((await box.get(`${data}${tickPath}BTC-USD&api_key=${sandboxKey}`)).status).toBe(200)
    expect((await ask(box, `${tickPath}BTC-USD`)).status).toBe(200)
    const entries = box.sandbox.meter.entries()
    expect(entries.map(e => [e.keyIn, e.credits])).toEqual([
      ...([['none', 0] as const, ['header', 0] as const] as const),
      ...([['query', 1] as const, ['header', 1] as const] as const),
    ])
  })

  it('has only the asked groups, and leaves out what it does not know', async () => {
    await using box = await openTestSandbox()
    const { json, text } = await ask(box, `${tickPath}BTC-USD,NOPE-USD,ETH-EUR&groups=ID,VALUE`)
    expect([Object.keys(json.Data), json.Err]).toEqual([['BTC-USD', 'ETH-EUR'], {}])
    expect(Object.keys(json.Data['ETH-EUR'])).toEqual([
      ...['TYPE', 'MARKET', 'INSTRUMENT', 'CCSEQ', 'VALUE', 'VALUE_FLAG'],
      ...['VALUE_LAST_UPDATE_TS', 'VALUE_LAST_UPDATE_TS_NS'],
    ])
    const [entry] = box.sandbox.meter.entries()
    expect(entry?.values.map(v => [v.sourceId, v.currency])).toEqual([
      ...([['BTC', 'USD'] as const, ['ETH', 'EUR'] as const] as const),
    ])
    for (const { price } of entry?.values ?? []) expect(text).toContain(`"VALUE":${price},`)
    expect(entry?.values[0]?.price.replace('.', '').length).toBeGreaterThanOrEqual(13)
  })

  it.skipIf(!captures)('has the members and types of a whole real tick', async () => {
    const want = real('dataapi_index_cc_v1_latest_tick_full.json')
    await using box = await openTestSandbox()
    const { json } = await ask(box, `${tickPath}BTC-USD&apply_mapping=true`)
    const [mine, theirs] = [json.Data['BTC-USD'], want.Data['BTC-USD']]
    expect(Object.keys(mine)).toEqual(Object.keys(theirs))
    const types = (row: object) => Object.values(row).map(value => typeof value)
    expect(types(mine)).toEqual(types(theirs))
    for (const at of ['CURRENT_HOUR', 'MOVING_365_DAY']) {
      expect(mine[`${at}_LOW`]).toBeLessThanOrEqual(mine[`${at}_OPEN`])
      expect(mine[`${at}_HIGH`]).toBeGreaterThanOrEqual(mine[`${at}_OPEN`])
    }
  })

  it('has past days, the one of to_ts last, at most 2,000', async () => {
    await using box = await openTestSandbox()
    const path = '/historical/days?market=cadli&instrument=BTC-EUR'
    const to = Date.UTC(2026, 10, 20) / 1_000 - 1
    const { json } = await ask(box, `${path}&limit=3&to_ts=${to}&groups=ID,OHLC`)
    expect(json.Data.map((row: Record<string, unknown>) => row['TIMESTAMP'])).toEqual(
      [17, 18, 19].map(day => Date.UTC(2026, 10, day) / 1_000),
    )
    expect(Object.keys(json.Data[0])).toEqual([
      ...['UNIT', 'TIMESTAMP', 'TYPE', 'MARKET', 'INSTRUMENT', 'OPEN', 'HIGH', 'LOW', 'CLOSE'],
    ])
    for (const row of json.Data) expect([row.LOW <= row.CLOSE, row.CLOSE <= row.HIGH]).toEqual([true, true])
    const whole = (await ask(box, path)).json.Data
    expect([whole.length, whole.at(-1).TIMESTAMP]).toEqual([30, Date.UTC(2026, 10, 21) / 1_000])
    expect(Object.keys(whole[0])).toHaveLength(26)
  })

  it.each([
    ['/latest/tick?market=nope&instruments=BTC-USD', 400, 2],
    ['/latest/tick?market=cadli', 400, 2],
    [`${tickPath}NOPE-USD,BTCUSD`, 404, 1],
    ['/historical/days?market=cadli&instrument=BTC-USD&limit=2001', 400, 2],
    ['/historical/days?market=cadli&instrument=NOPE-USD', 404, 1],
    ['/historical/days?market=cadli&instrument=BTC-USD&to_ts=soon', 400, 2],
    ['/markets', 404, 1],
  ])('answers %s with %i and Err %i', async (path, status, type) => {
    await using box = await openTestSandbox()
    const answer = await ask(box, path)
    expect([answer.status, answer.json.Err.type]).toEqual([status, type])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ credits: 0, result: 'refused' })
  })

  it.each([
    [{ callsPerMinute: 2 }, MINUTE],
    [{ callsPerDay: 2 }, DAY],
    [{ callsPerMonth: 2 }, 31 * DAY],
  ])('refuses the third call of %j', async (limits, waitMs) => {
    await using box = await openTestSandbox({ limits: { coindesk: limits } })
    const call = () => ask(box, `${tickPath}BTC-USD`)
    expect([(await call()).status, (await call()).status]).toEqual([200, 200])
    const over = await call()
    expect([over.status, over.json.Err.type]).toEqual([429, 99])
    expect(box.sandbox.meter.violations).toBe(1)
    box.clock.advance(waitMs)
    expect((await call()).status).toBe(200)
  })

  it('can refuse with 200, as min-api did', async () => {
    const limits = { callsPerMonth: 1, refusal: 'min-api-200' }
    await using box = await openTestSandbox({ limits: { coindesk: limits } })
    await ask(box, `${tickPath}BTC-USD`)
    const { status, json } = await ask(box, `${tickPath}BTC-USD`)
    expect([status, json]).toMatchObject([200, { Response: 'Error', Type: 99 }])
    expect(json.RateLimit).toMatchObject({ calls_made: { month: 1 }, max_calls: { month: 1 } })
    expect(box.sandbox.meter.entries()[1]).toMatchObject({ result: 'refused', credits: 0 })
  })

  it('plays the faults of either dialect in its own words', async () => {
    await using box = await openTestSandbox()
    const both = async () => [await box.get(`${bpi}/currentprice.json`), await ask(box, `${tickPath}BTC-USD`)]
    box.sandbox.faults.add({ kind: 'rate-limited', times: 2 })
    expect((await both()).map(a => [a.status, typeof a.json])).toEqual([
      ...([[429, 'string'] as const, [429, 'object'] as const] as const),
    ])
    box.sandbox.faults.add({ kind: 'server-error', charged: false, times: 2 })
    expect((await both()).map(a => [a.status, typeof a.json])).toEqual([
      ...([[500, 'string'] as const, [500, 'object'] as const] as const),
    ])
    box.sandbox.faults.add({ kind: 'foreign-use', credits: 20_000, provider: 'coindesk', times: 1 })
    expect((await ask(box, `${tickPath}BTC-USD`)).status).toBe(429)
  })
})
