import { describe, expect, it } from 'vitest'
import { DAY, MINUTE, parseIso, toEpochMs } from '../../../../core/time.ts'
import { type Body, openTestSandbox } from '../../../../sandbox/testing.ts'
import { binancePairs } from './pairs.ts'

const api = '/binance/api/v3'
const day = `${api}/ticker/24hr`
const listOf = (...symbols: string[]) => encodeURIComponent(JSON.stringify(symbols))

describe('the tickers of Binance', () => {
  it('have the members of the documents, texts for numbers and the end of the window', async () => {
    await using box = await openTestSandbox()
    const { status, json, headers } = await box.get(`${day}?symbols=${listOf('BTCUSDT', 'ETHBTC')}`)
    expect([status, headers.get('x-mbx-used-weight-1m')]).toEqual([200, '2'])
    expect(Object.keys(json[0])).toEqual([
      ...['symbol', 'priceChange', 'priceChangePercent', 'weightedAvgPrice', 'prevClosePrice', 'lastPrice'],
      ...['lastQty', 'bidPrice', 'bidQty', 'askPrice', 'askQty', 'openPrice', 'highPrice', 'lowPrice'],
      ...['volume', 'quoteVolume', 'openTime', 'closeTime', 'firstId', 'lastId', 'count'],
    ])
    expect(json[0].lastPrice).toMatch(/^\d{5}\.\d{2}000000$/)
    expect(json[0].priceChangePercent).toMatch(/^-?\d+\.\d{3}$/)
    expect(json[0].closeTime - json[0].openTime).toBe(DAY)
    expect(json[0].closeTime).toBe(toEpochMs(box.clock.now()))
    expect(Number(json[0].askPrice)).toBeGreaterThan(Number(json[0].bidPrice))
    expect(box.sandbox.meter.entries()[0]?.values).toEqual(
      json.map((row: Body) => ({
        ...{ sourceId: row.symbol, currency: row.symbol.endsWith('BTC') ? 'BTC' : 'USDT' },
        ...{ price: row.lastPrice, observedAt: row.closeTime * 1_000 },
      })),
    )
  })

  it('weigh by what is asked', async () => {
    await using box = await openTestSandbox()
    let before = 0
    const weight = async (path: string): Promise<number> => {
      const used = Number((await box.get(`${api}${path}`)).headers.get('x-mbx-used-weight-1m'))
      const own = used - before
      before = used
      return own
    }
    const many = (count: number) => listOf(...Array.from({ length: count }, () => 'BTCUSDT'))
    expect(await weight('/ticker/24hr?symbol=BTCUSDT')).toBe(2)
    expect(await weight(`/ticker/24hr?symbols=${many(20)}`)).toBe(2)
    expect(await weight(`/ticker/24hr?symbols=${many(21)}`)).toBe(40)
    expect(await weight(`/ticker/24hr?symbols=${many(101)}`)).toBe(80)
    expect(await weight('/ticker/24hr')).toBe(80)
    expect(await weight('/ticker/price?symbol=BTCUSDT')).toBe(2)
    expect(await weight('/ticker/price')).toBe(4)
    expect(await weight('/klines?symbol=BTCUSDT&interval=1d')).toBe(2)
    expect(await weight('/exchangeInfo')).toBe(20)
    box.clock.advance(MINUTE)
    before = 0
    expect(await weight('/ping')).toBe(1)
  })

  it.each([
    [`ticker/24hr?symbols=${listOf('BTCUSDT', 'NOPEUSDT')}`, -1121],
    ['ticker/price?symbol=btcusdt', -1121],
    ['ticker/24hr?symbols=BTCUSDT', -1100],
    [`ticker/24hr?symbol=BTCUSDT&symbols=${listOf('BTCUSDT')}`, -1128],
    ['klines?interval=1d', -1102],
    ['klines?symbol=BTCUSDT&interval=1D', -1120],
  ])('%s fails with %i', async (path, code) => {
    await using box = await openTestSandbox()
    const { status, json } = await box.get(`${api}/${path}`)
    expect([status, json.code]).toEqual([400, code])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', values: [] })
  })

  it('list every pair with its parts, and one that exists by its name', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${api}/exchangeInfo`)
    expect(json.symbols.map((s: Body) => s.symbol)).toEqual([...binancePairs.keys()])
    for (const s of json.symbols) expect(s.baseAsset + s.quoteAsset).toBe(s.symbol)
    const one = await box.get(`${api}/exchangeInfo?symbol=SOLUSDT`)
    expect(one.json.symbols.map((s: Body) => s.symbol)).toEqual(['SOLUSDT'])
  })
})

describe('the candles of Binance', () => {
  const klines = `${api}/klines?symbol=BTCUSDT&interval=1d`

  it('are days in rows of twelve; the last is not over', async () => {
    await using box = await openTestSandbox()
    const from = Date.UTC(2026, 10, 18)
    const { json } = await box.get(`${klines}&startTime=${from}`)
    expect(json.map((row: Body) => [row.length, row[0], row[6]])).toEqual(
      [0, 1, 2, 3].map(n => [12, from + n * DAY, from + (n + 1) * DAY - 1]),
    )
    for (const [, open, high, low, close] of json.slice(0, 3)) {
      expect(Number(high)).toBeGreaterThanOrEqual(Math.max(Number(open), Number(close)))
      expect(Number(low)).toBeLessThanOrEqual(Math.min(Number(open), Number(close)))
    }
    // The next day opens where this one closed, but for a digit that no price has: faults find prices by their digits.
    expect(json[1][1]).toBe(json[0][4].replace(/0$/, '1'))
    const [entry] = box.sandbox.meter.entries()
    expect(entry?.values.map(v => v.price)).toEqual(json.slice(0, 3).map((row: Body) => row[4]))
    expect(entry?.values[0]?.observedAt).toBe(parseIso('2026-11-18T23:59:59.999999Z'))
  })

  it('keep both ends, the newest 500 without a beginning, 1,000 at most and none before the listing', async () => {
    await using box = await openTestSandbox()
    const ask = async (more: string): Promise<Body[]> => (await box.get(`${klines}${more}`)).json
    const from = Date.UTC(2026, 10, 1)
    expect(await ask(`&startTime=${from}&endTime=${from}`)).toHaveLength(1)
    expect(await ask(`&startTime=${from}&endTime=${from - 1}`)).toHaveLength(0)
    const newest = await ask('')
    expect([newest.length, newest.at(-1)[0]]).toEqual([500, Date.UTC(2026, 10, 21)])
    const oldest = await ask('&startTime=0&limit=5000')
    expect([oldest.length, oldest[0][0]]).toEqual([1_000, Date.UTC(2017, 7, 17)])
  })
})

describe('the guard of Binance', () => {
  it('says 429 with the wait above the weight, then 418 with a ban that grows', async () => {
    await using box = await openTestSandbox({ limits: { binance: { weightPerMinute: 2, patience: 1 } } })
    const ask = async () => {
      const { status, headers, json } = await box.get(`${api}/klines?symbol=BTCUSDT&interval=1d&limit=1`)
      return [status, headers.get('retry-after'), json.code]
    }
    expect((await ask())[0]).toBe(200)
    expect(await ask()).toEqual([429, '30', -1003])
    expect(await ask()).toEqual([429, '30', -1003])
    expect(await ask()).toEqual([418, '120', -1003])
    box.clock.advance(119_000)
    expect(await ask()).toEqual([418, '1', -1003])
    box.clock.advance(1_000)
    // The minute of the ban's last call goes on.
    expect((await ask())[0]).toBe(429)
    box.clock.advance(MINUTE)
    expect((await ask())[0]).toBe(200)
    await ask()
    await ask()
    expect(await ask()).toEqual([418, '240', -1003])
    expect(box.sandbox.meter.violations).toBeGreaterThan(0)
  })

  it('closes the door to a country or an address on request', async () => {
    await using geo = await openTestSandbox({ limits: { binance: { isGeoBlocked: true } } })
    const blocked = await geo.get(day)
    expect([blocked.status, blocked.json.code]).toEqual([451, 0])
    expect(blocked.json.msg).toContain('restricted location')
    await using wall = await openTestSandbox({ limits: { binance: { isFirewalled: true } } })
    const forbidden = await wall.get(day)
    expect([forbidden.status, forbidden.text.slice(0, 6)]).toEqual([403, '<html>'])
  })
})
