import { describe, expect, it } from 'vitest'
import { sandboxKey } from '../../../sandbox/server.ts'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { twinContract } from '../../twin.contract.ts'
import { coingecko } from './index.ts'

twinContract({ provider: coingecko, sweeps: 40 })
twinContract({ provider: coingecko, dataset: 'market', sweeps: 10 })
twinContract({
  provider: coingecko,
  dataset: 'market',
  page: { assets: [], currency: 'USD', top: 250 },
  sweeps: 10,
})
twinContract({ provider: coingecko, dataset: 'global', sweeps: 10 })
twinContract({ provider: coingecko, dataset: 'history' })

const url = '/coingecko/api/v3'
const demo = { 'x-cg-demo-api-key': sandboxKey }
const price = `${url}/simple/price?ids=bitcoin,status,nope&vs_currencies=usd,xyz`

describe('CoinGecko’s twin', () => {
  it('answers by id and lower-case currency, and leaves out what it does not know', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(`${price}&include_last_updated_at=true`)
    expect(Object.keys(json)).toEqual(['bitcoin', 'status'])
    expect(Object.keys(json.bitcoin)).toEqual(['usd', 'last_updated_at'])
    expect(json.bitcoin.last_updated_at).toBe(Date.parse('2026-11-21T12:00:00Z') / 1_000)
  })

  it('changes every 60 seconds', async () => {
    await using box = await openTestSandbox()
    const get = async (): Promise<number> => (await box.get(price)).json.bitcoin.usd
    const first = await get()
    box.clock.advance(29_000)
    expect(await get()).toBe(first)
    box.clock.advance(1_000)
    expect(await get()).not.toBe(first)
  })

  it('has five coins that are called BTC or say so, in the list and in a search', async () => {
    await using box = await openTestSandbox({ limits: { coingecko: { extraCoins: 7 } } })
    const list = (await box.get(`${url}/coins/list`)).json
    expect(list).toHaveLength(25)
    expect(list.filter((coin: { symbol: string }) => coin.symbol === 'btc')).toHaveLength(4)
    const { coins } = (await box.get(`${url}/search?query=BTC`)).json
    expect(coins.map((coin: { market_cap_rank: unknown }) => coin.market_cap_rank)).toEqual([
      1,
      16,
      null,
      null,
    ])
    const page = (await box.get(`${url}/coins/markets?vs_currency=usd&per_page=10&page=3`)).json
    expect(page.map((coin: { market_cap_rank: number }) => coin.market_cap_rank)).toEqual([21, 22, 23])
  })

  it('counts a Demo key by the minute and the month, an address by the minute', async () => {
    await using box = await openTestSandbox({
      limits: { coingecko: { callsPerMinute: 3, creditsPerMonth: 4, keylessPerMinute: 1 } },
    })
    const ask = async (headers = {}): Promise<unknown[]> => {
      const { status, json } = await box.get(price, headers)
      return [status, json.status?.error_code]
    }
    for (let call = 0; call < 3; call += 1) expect(await ask(demo)).toEqual([200, undefined])
    expect([await ask(demo), await ask(), await ask()]).toEqual([
      [429, 429],
      [200, undefined],
      [429, 429],
    ])
    box.clock.advance(30_000)
    expect([await ask(demo), await ask(demo)]).toEqual([
      [200, undefined],
      [429, 429],
    ])
    expect(box.sandbox.meter.violations).toBe(3)
    box.clock.advance(10 * 86_400_000)
    expect(await ask(demo)).toEqual([200, undefined])
  })

  it('says when to come again, in each of its forms', async () => {
    for (const [form, wanted] of [
      [{}, 429],
      [{ as200: true }, 200],
      [{ asHtml: true }, 429],
    ] as const) {
      await using box = await openTestSandbox({ limits: { coingecko: { keylessPerMinute: 0, ...form } } })
      const answer = await box.get(price)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([wanted, '30'])
      expect(answer.text.startsWith('<')).toBe('asHtml' in form)
    }
  })

  it.each([
    ['/simple/price?ids=bitcoin', {}, 422, '{"error":"Missing parameter ids or vs_currencies"}'],
    ['/coins/markets?vs_currency=xyz', {}, 400, '{"error":"invalid vs_currency"}'],
    ['/coins/nope/market_chart/range?vs_currency=usd&from=1&to=2', {}, 404, '{"error":"coin not found"}'],
    ['/coins/bitcoin/market_chart/range?vs_currency=usd', {}, 422, '"error"'],
    [
      '/coins/bitcoin/market_chart/range?vs_currency=usd&from=1700000000&to=1790000000',
      {},
      401,
      '{"error":{"status":{"timestamp"',
    ],
    ['/coins/list/new', {}, 401, '"error_code":10005'],
    ['/ping', { 'x-cg-demo-api-key': 'CG-nobody' }, 401, '"error_code":10002'],
    ['/ping', { 'x-cg-pro-api-key': 'CG-pro' }, 400, '"error_code":10010,"status":{"error_message"'],
    ['/nope', {}, 404, 'Incorrect path'],
  ])('refuses %s %j', async (path, headers, status, text) => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${url}${path}`, headers)
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', credits: 0 })
    expect(box.sandbox.meter.violations).toBe(0)
  })

  it('gives daily points at midnight, hourly ones if not told so, and the newest where the range reaches now', async () => {
    await using box = await openTestSandbox()
    const range = (from: string, to: string): string =>
      `${url}/coins/bitcoin/market_chart/range?vs_currency=usd&from=${Date.parse(from) / 1_000}&to=${Date.parse(to) / 1_000}`
    const daily = (await box.get(`${range('2026-11-20T00:00:00Z', '2026-12-01T00:00:00Z')}&interval=daily`))
      .json
    expect(daily.prices.map(([at]: [number]) => new Date(at).toISOString())).toEqual([
      ...['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z', '2026-11-21T12:00:30.000Z'],
    ])
    expect([daily.market_caps.length, daily.total_volumes.length]).toEqual([3, 3])
    const hourly = (await box.get(range('2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z'))).json
    expect(hourly.prices).toHaveLength(25)
  })

  it('sees a key in the query', async () => {
    await using box = await openTestSandbox()
    await box.get(`${url}/ping?x_cg_demo_api_key=${sandboxKey}`)
    expect(box.sandbox.meter.entries()[0]?.keyIn).toBe('query')
  })
})
