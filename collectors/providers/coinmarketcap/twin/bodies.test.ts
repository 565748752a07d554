import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { numberTexts, openTestSandbox } from '../../../../sandbox/testing.ts'
import type { Body, TestSandbox } from '../../../../sandbox/testing.ts'

let box: TestSandbox
beforeAll(async () => {
  box = await openTestSandbox({ plan: { callsPerMinute: 1_000, keylessCallsPerMinute: 1_000 } })
})
afterAll(() => box[Symbol.asyncDispose]())

describe('the two envelopes', () => {
  it.each([
    ['/v1/cryptocurrency/quotes/latest?id=1', 0, null, true],
    ['/v2/cryptocurrency/quotes/latest?id=1', 0, null, true],
    ['/v1/cryptocurrency/map?limit=2', 0, null, true],
    ['/v1/key/info', 0, null, true],
    ['/v3/cryptocurrency/quotes/latest?id=1', '0', '', false],
    ['/v3/cryptocurrency/listings/latest?limit=2', '0', '', false],
    ['/v3/cryptocurrency/quotes/historical?id=1', '0', '', false],
    ['/v2/simple/price?id=1', '0', '', false],
  ])('%s', async (path, code, message, notice) => {
    const { json } = await box.cmc(path)
    expect([json.status.error_code, json.status.error_message, 'notice' in json.status]).toEqual([
      code,
      message,
      notice,
    ])
  })

  it('refuses with A at the gateway, even where the endpoint speaks B', async () => {
    const path = '/coinmarketcap/v3/cryptocurrency/quotes/latest?id=1'
    for (const [headers, code, status] of [
      [{}, 1002, 401],
      [{ 'X-CMC_PRO_API_KEY': 'wrong' }, 1001, 401],
    ] as const) {
      const answer = await box.get(path, headers)
      expect([answer.status, answer.json.status.error_code, answer.json.data]).toEqual([
        status,
        code,
        undefined,
      ])
      expect(answer.json.status).toMatchObject({ credit_count: 0, notice: null })
    }
  })

  it.each([
    ['/v3/cryptocurrency/quotes/latest', '400', '"value" must contain at least one of [id, slug, symbol]'],
    ['/v3/cryptocurrency/quotes/latest?id=1&slug=bitcoin', '400', 'conflict'],
    ['/v3/cryptocurrency/quotes/latest?id=one', '400', 'Invalid value for "id"'],
    ['/v3/cryptocurrency/quotes/latest?id=1,', '400', 'Invalid value for "id"'],
    [
      '/v3/cryptocurrency/quotes/latest?id=1,999999&skip_invalid=false',
      '400',
      'Invalid value for "id": "999999"',
    ],
    ['/v3/cryptocurrency/quotes/latest?id=1&convert=XYZ', '400', 'Invalid value for "convert": "XYZ"'],
    ['/v1/cryptocurrency/quotes/latest?id=1,999999', 400, 'Invalid value for "id": "999999"'],
    ['/v3/cryptocurrency/listings/latest?limit=0', '400', 'Invalid value for "limit": "0"'],
    ['/v3/cryptocurrency/quotes/historical?id=1&interval=7m', '400', 'Invalid value for "interval"'],
    [
      '/v3/cryptocurrency/quotes/historical?id=1&interval=1d&time_start=2025-11-01T00:00:00Z',
      '400',
      'limited to 365 days of daily',
    ],
    [
      '/v3/cryptocurrency/quotes/historical?id=1&time_start=2026-09-01T00:00:00Z',
      '400',
      'limited to 31 days of intraday',
    ],
  ])('says 400 in its own envelope: %s', async (path, code, message) => {
    const { status, json } = await box.cmc(path)
    expect([status, json.status.error_code, json.status.credit_count, json.data]).toEqual([
      400,
      code,
      0,
      undefined,
    ])
    expect(json.status.error_message).toContain(message)
  })
})

describe('keyed quotes', () => {
  it('v2 has an array per symbol, v1 the largest coin only', async () => {
    const v2 = (await box.cmc('/v2/cryptocurrency/quotes/latest?symbol=btc,eth')).json
    expect(v2.data.BTC.map((coin: Body) => coin.id)).toEqual([
      ...[1, 91_001, 91_002, 91_003, 91_006, 91_007, 91_008],
    ])
    expect(v2.data.ETH.map((coin: Body) => coin.id)).toEqual([1027])
    const v1 = (await box.cmc('/v1/cryptocurrency/quotes/latest?symbol=BTC')).json
    expect([v1.data.BTC.id, v1.data.BTC.quote.USD.last_updated]).toEqual([1, '2026-11-21T11:59:03.000Z'])
  })

  it('v2 by slug is keyed by id, and leaves unknown ids out', async () => {
    const bySlug = (await box.cmc('/v2/cryptocurrency/quotes/latest?slug=ethereum')).json
    expect(Object.keys(bySlug.data)).toEqual(['1027'])
    const byId = (await box.cmc('/v2/cryptocurrency/quotes/latest?id=2,999999,52')).json
    expect(Object.keys(byId.data)).toEqual(['2', '52'])
  })

  it('v3 leaves unknown and inactive ids out, and answers nothing at all with an empty list', async () => {
    const some = (await box.cmc('/v3/cryptocurrency/quotes/latest?id=1,999999,91004,2')).json
    expect(some.data.map((coin: Body) => coin.id)).toEqual([1, 2])
    const none = (await box.cmc('/v3/cryptocurrency/quotes/latest?id=999999')).json
    expect([none.data, none.status.credit_count]).toEqual([[], 1])
  })

  it('has the two clocks of real answers: the coin is of another time than its quote', async () => {
    const { data } = (await box.cmc('/v3/cryptocurrency/quotes/latest?id=1,2')).json
    expect(data.map((coin: Body) => [coin.last_updated, coin.quote[0].last_updated])).toEqual([
      ['2026-11-21T11:59:00.000Z', '2026-11-21T11:59:03.000Z'],
      ['2026-11-21T12:00:00.000Z', '2026-11-21T11:59:03.000Z'],
    ])
  })
})

describe('listings, simple price and map', () => {
  it('lists by rank, page after page, without overlap', async () => {
    const page = async (start: number): Promise<number[]> =>
      (await box.cmc(`/v3/cryptocurrency/listings/latest?start=${start}&limit=200`)).json.data.map(
        (coin: Body) => coin.cmc_rank,
      )
    const ranks = [...(await page(1)), ...(await page(201))]
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
    expect(new Set(ranks).size).toBe(ranks.length)
    expect(ranks.length).toBeGreaterThan(250)
  })

  it('gives the extras of simple/price for the asking', async () => {
    const { json } = await box.cmc(
      '/v2/simple/price?id=1&include_market_cap=true&include_24h_vol=true&include_24h_change=true',
    )
    expect(Object.keys(json.data[0].quotes[0])).toEqual([
      'symbol',
      'price',
      'market_cap',
      'volume_24h',
      'percent_change_24h',
      'last_updated',
    ])
  })

  it('has another platform id in map than in quotes', async () => {
    const inMap = (await box.cmc('/v1/cryptocurrency/map?symbol=PAXG')).json.data[0].platform.id
    const inQuotes = (await box.cmc('/v3/cryptocurrency/quotes/latest?id=4705')).json.data[0].platform.id
    expect([inMap, inQuotes]).toEqual([1, 1027])
  })
})

describe('quotes/historical', () => {
  const get = async (query: string): Promise<Body> =>
    (await box.cmc(`/v3/cryptocurrency/quotes/historical?${query}`)).json

  it('excludes time_start, includes time_end, on the grid', async () => {
    const body = await get('id=1&interval=5m&time_start=2026-11-21T10:00:00Z&time_end=2026-11-21T10:20:00Z')
    expect(body.data[0].quotes.map((point: Body) => point.timestamp)).toEqual([
      '2026-11-21T10:05:00.000Z',
      '2026-11-21T10:10:00.000Z',
      '2026-11-21T10:15:00.000Z',
      '2026-11-21T10:20:00.000Z',
    ])
  })

  it('counts back from now without time_start', async () => {
    const body = await get('id=1&interval=1h&count=2&convert=USD,EUR')
    const [coin] = body.data
    expect(coin.quotes.map((point: Body) => point.timestamp)).toEqual([
      '2026-11-21T11:00:00.000Z',
      '2026-11-21T12:00:00.000Z',
    ])
    expect(coin.quotes[0].quote.map((quote: Body) => quote.symbol)).toEqual(['USD', 'EUR'])
  })

  it('takes Unix seconds', async () => {
    const [before] = (await get('id=1&interval=5m&time_end=1795262400&count=1')).data
    expect(before.quotes[0].timestamp).toBe('2026-11-21T12:00:00.000Z')
  })
})

describe('exact digits', () => {
  it('sends 18 digits, exponents and supplies of 1e15 as they are, and tells the meter the same digits', async () => {
    const { text } = await box.cmc('/v3/cryptocurrency/quotes/latest?id=1,1027,90001,90002&convert=USD,EUR')
    const sent = numberTexts(text)
    const entry = box.sandbox.meter.entries().at(-1)
    const prices = [0, 1, 2, 3].flatMap(coin => [0, 1].map(q => sent.get(`/data/${coin}/quote/${q}/price`)))
    expect(entry?.values.map(value => value.price)).toEqual(prices)
    expect(sent.get('/data/1/quote/0/price')).toMatch(/^\d{4}\.\d{12,14}$/)
    expect(sent.get('/data/2/quote/0/price')).toMatch(/^\d\.\d+e-1[12]$/)
    expect([sent.get('/data/2/circulating_supply'), sent.get('/data/2/max_supply')]).toEqual([
      '1000000000000000',
      '1e15',
    ])
    // The judge of the judge: a float round trip would change at least one of these texts.
    expect(prices.some(price => String(Number(price)) !== price)).toBe(true)
  })

  it('changes data once a minute, for everybody alike', async () => {
    const price = async (): Promise<unknown> =>
      numberTexts((await box.cmc('/v2/simple/price?id=1')).text).get('/data/0/quotes/0/price')
    const first = await price()
    box.clock.advance(29_000)
    expect(await price()).toBe(first)
    box.clock.advance(1_000)
    expect(await price()).not.toBe(first)
  })
})
