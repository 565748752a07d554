import { describe, expect, it } from 'vitest'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { twinContract } from '../../twin.contract.ts'
import { coinpaprika } from './index.ts'

twinContract({ provider: coinpaprika, sweeps: 40 })
twinContract({ provider: coinpaprika, assets: ['ethereum'], sweeps: 10 })
twinContract({
  provider: coinpaprika,
  dataset: 'market',
  page: { assets: [], currency: 'EUR', top: 14 },
  sweeps: 10,
})
twinContract({ provider: coinpaprika, dataset: 'global', sweeps: 10 })
// A point stays at the time that CoinPaprika gives it.
twinContract({ provider: coinpaprika, dataset: 'history', timeOf: at => at })

const url = '/coinpaprika/v1'

describe('CoinPaprika’s twin', () => {
  it('lists all coins, or one with the same figures', async () => {
    await using box = await openTestSandbox()
    const list = (await box.get(`${url}/tickers?quotes=USD,BTC`)).json
    const one = (await box.get(`${url}/tickers/eth-ethereum?quotes=USD,BTC`)).json
    expect(list).toHaveLength(14)
    expect(list[1]).toEqual(one)
    expect(Object.keys(one.quotes)).toEqual(['USD', 'BTC'])
    expect(one.last_updated).toBe('2026-11-21T12:00:00Z')
    expect([one.quotes.BTC.ath_price, one.max_supply, 'circulating_supply' in one]).toEqual([null, 0, false])
  })

  it('changes every ten minutes', async () => {
    await using box = await openTestSandbox()
    const price = async (): Promise<number> =>
      (await box.get(`${url}/tickers/btc-bitcoin`)).json.quotes.USD.price
    const first = await price()
    box.clock.advance(9 * 60_000)
    expect(await price()).toBe(first)
    box.clock.advance(60_000)
    expect(await price()).not.toBe(first)
  })

  it('has namesakes of Bitcoin in its catalog, and among the tickers if it is told to', async () => {
    await using box = await openTestSandbox({ limits: { coinpaprika: { extraCoins: 3 } } })
    const { currencies } = (
      await box.get(`${url}/search?q=BTC&c=currencies&modifier=symbol_search&limit=250`)
    ).json
    expect(currencies.map((c: { rank: number; is_active: boolean }) => [c.rank, c.is_active])).toEqual([
      ...[
        [1, true],
        [15, true],
        [0, true],
        [0, true],
        [0, false],
      ],
    ])
    expect((await box.get(`${url}/coins`)).json).toHaveLength(20)
    const symbols = (await box.get(`${url}/tickers`)).json.map((coin: { symbol: string }) => coin.symbol)
    expect(symbols.filter((symbol: string) => symbol === 'BTC')).toHaveLength(2)
  })

  it.each([
    ['/tickers/nope-nope', 404, 'id not found'],
    ['/tickers/btc-bitty-cents', 404, 'id not found'],
    ['/tickers?quotes=XXX', 400, 'invalid parameters: quotes'],
    ['/tickers?quotes=USD,EUR,BTC,ETH', 400, 'invalid parameters: quotes'],
    ['/tickers/btc-bitcoin/historical?interval=1d', 400, 'invalid parameters'],
    ['/tickers/btc-bitcoin/historical?start=2026-11-01&interval=1d&quote=eur', 400, 'invalid parameters'],
    ['/tickers/nope/historical?start=2026-11-01&interval=1d', 404, 'id not found'],
    [
      '/tickers/btc-bitcoin/historical?start=2026-11-01&interval=5m',
      402,
      'getting historical data before 2025-11-21T12:00:30Z is not allowed in this plan',
    ],
    [
      '/tickers/btc-bitcoin/historical?start=2025-11-20&interval=1d',
      402,
      'getting historical data before 2025-11-21T12:00:30Z is not allowed in this plan',
    ],
    ['/nope', 404, 'not found'],
  ])('refuses %s without a charge', async (path, status, error) => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${url}${path}`)
    expect([answer.status, answer.json]).toEqual([status, { error }])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', credits: 0 })
    expect(box.sandbox.meter.violations).toBe(0)
  })

  it('gives the days of a range with both ends, none to come', async () => {
    await using box = await openTestSandbox()
    const days = (
      await box.get(`${url}/tickers/btc-bitcoin/historical?start=2026-11-19&end=2026-12-31&interval=1d`)
    ).json
    expect(days.map((day: { timestamp: string }) => day.timestamp.slice(0, 10))).toEqual([
      ...['2026-11-19', '2026-11-20', '2026-11-21'],
    ])
  })

  it('serves ten calls a second and address, then says 429, as JSON or as a page', async () => {
    for (const htmlAt429 of [false, true]) {
      await using box = await openTestSandbox({ limits: { coinpaprika: { htmlAt429 } } })
      for (let call = 0; call < 10; call += 1) expect((await box.get(`${url}/global`)).status).toBe(200)
      const { status, text } = await box.get(`${url}/global`)
      expect([status, text.includes('<html>')]).toEqual([429, htmlAt429])
      expect(box.sandbox.meter.violations).toBe(1)
      box.clock.advance(1_000)
      expect((await box.get(`${url}/global`)).status).toBe(200)
    }
  })

  it('answers 402 when the month’s calls are used up, until the next month', async () => {
    await using box = await openTestSandbox({ limits: { coinpaprika: { creditsPerMonth: 2 } } })
    await box.get(`${url}/global`)
    await box.get(`${url}/coins`)
    const answer = await box.get(`${url}/tickers/btc-bitcoin`)
    expect([answer.status, answer.json]).toEqual([402, { error: 'monthly calls limit exceeded' }])
    expect(box.sandbox.meter.violations).toBe(1)
    box.clock.advance(10 * 86_400_000)
    expect((await box.get(`${url}/global`)).status).toBe(200)
  })
})
