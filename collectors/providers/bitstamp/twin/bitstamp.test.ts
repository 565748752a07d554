import { describe, expect, it } from 'vitest'
import { MINUTE, parseIso, SECOND } from '../../../../core/time.ts'
import { type Body, openTestSandbox } from '../../../../sandbox/testing.ts'
import { markets } from './markets.ts'

const api = '/bitstamp/api/v2'

describe('the tickers of the twin', () => {
  it('have the members of the documents, texts for numbers and the time of the call', async () => {
    await using box = await openTestSandbox()
    const { status, json } = await box.get(`${api}/ticker/btcusd/`)
    expect([status, Object.keys(json)]).toEqual([
      200,
      [
        ...['timestamp', 'open', 'high', 'low', 'last', 'volume', 'vwap', 'bid', 'ask', 'side', 'open_24'],
        ...['percent_change_24', 'market_type'],
      ],
    ])
    expect(json).toMatchObject({ timestamp: '1795262430', market_type: 'SPOT' })
    expect(json.last).toMatch(/^\d{5}$/)
    expect(json.percent_change_24).toMatch(/^-?\d+\.\d{2}$/)
    expect(Number(json.ask)).toBeGreaterThan(Number(json.bid))
    expect(Number(json.high)).toBeGreaterThanOrEqual(Number(json.last))
    expect(Number(json.low)).toBeLessThanOrEqual(Number(json.last))
    const value = { sourceId: 'BTC', currency: 'USD', price: json.last }
    expect(box.sandbox.meter.entries()[0]?.values).toEqual([
      { ...value, observedAt: parseIso('2026-11-21T12:00:30Z') },
    ])
  })

  it('of all markets at once are named, futures too', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${api}/ticker/`)
    const pairs = json.map((row: Body) => row.pair)
    expect(pairs).toHaveLength(markets.size)
    expect(pairs).toEqual(expect.arrayContaining(['BTC/USD', 'BTC/EUR', 'ETH/BTC', 'BTC/USD-PERP']))
  })

  it('are other ones in euros', async () => {
    await using box = await openTestSandbox()
    const [usd, eur] = [await box.get(`${api}/ticker/ethusd/`), await box.get(`${api}/ticker/etheur/`)]
    expect(Number(eur.json.last)).toBeLessThan(Number(usd.json.last))
  })
})

describe('candles of the twin', () => {
  const ask = async (query: string): Promise<string[]> => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${api}/ohlc/btcusd/?step=86400&${query}`)
    expect(json.data.pair).toBe('BTC/USD')
    return json.data.ohlc.map((row: Body) => new Date(row.timestamp * SECOND).toISOString().slice(0, 10))
  }
  const unix = (text: string): number => Date.parse(text) / SECOND

  it('come up to the end, whatever the start', async () => {
    const end = unix('2026-11-10T23:59:59Z')
    const days = ['2026-11-09', '2026-11-10']
    expect(await ask(`limit=2&end=${end}`)).toEqual(days)
    expect(await ask(`limit=2&start=${unix('2026-10-01T00:00:00Z')}&end=${end}`)).toEqual(days)
  })

  it('begin at the start where there is no end, and are the newest without both', async () => {
    expect(await ask(`limit=2&start=${unix('2026-10-01T00:00:00Z')}`)).toEqual(['2026-10-01', '2026-10-02'])
    expect(await ask('limit=2')).toEqual(['2026-11-20', '2026-11-21'])
    expect(await ask('limit=2&exclude_current_candle=true')).toEqual(['2026-11-19', '2026-11-20'])
  })
})

describe('refusals of the twin', () => {
  it.each([
    ['ticker/btcusd/?group=1', 400, { status: 'error', response_code: '400.018' }],
    ['ohlc/btcusd/?step=7&limit=2', 400, { errors: [{ field: 'step', code: 'invalid_choice' }] }],
    ['ohlc/btcusd/?step=86400&limit=1001', 400, { errors: [{ field: 'limit' }] }],
    ['ohlc/btcusd/?step=86400', 400, { errors: [{ field: 'limit' }] }],
  ])('%s is HTTP %i %j', async (path, status, body) => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${api}/${path}`)
    expect([answer.status, answer.json]).toMatchObject([status, body])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', values: [] })
  })

  it.each(['ticker/nopeusd/', 'ohlc/nopeusd/?step=86400&limit=1', 'order_book/btcusd/', 'ticker/btcusd'])(
    '%s is a page',
    async path => {
      await using box = await openTestSandbox()
      const { status, text, headers } = await box.get(`${api}/${path}`)
      expect([status, headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(text).toMatch(/^<!DOCTYPE html>/)
    },
  )

  it.each([
    ['json-429', 429, /"response_code":"400.002"/],
    ['json-400', 400, /"response_code":"400.002"/],
    ['page-403', 403, /Incapsula/],
    ['text-200', 200, /^\S+ blocked for 900 seconds$/],
  ])('of too many calls by %s are HTTP %i', async (refusal, status, text) => {
    await using box = await openTestSandbox({ limits: { bitstamp: { callsPerWindow: 1, refusal } } })
    expect((await box.get(`${api}/ticker/btcusd/`)).status).toBe(200)
    const refused = await box.get(`${api}/ticker/btcusd/`)
    expect([refused.status, refused.text]).toEqual([status, expect.stringMatching(text)])
    expect(box.sandbox.meter.violations).toBe(1)
    box.clock.advance(14 * MINUTE)
    expect((await box.get(`${api}/markets/`)).text).not.toMatch(/^\[/)
    box.clock.advance(MINUTE)
    expect((await box.get(`${api}/markets/`)).text).toMatch(/^\[/)
  })

  it('let so many calls a second through', async () => {
    await using box = await openTestSandbox({ limits: { bitstamp: { callsPerSecond: 2 } } })
    const ask = async () => (await box.get(`${api}/ticker/btcusd/`)).status
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
    box.clock.advance(SECOND)
    expect(await ask()).toBe(200)
  })
})
