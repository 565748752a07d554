import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTestSandbox } from '../../../../sandbox/testing.ts'
import type { Body } from '../../../../sandbox/testing.ts'
import { krakenPairs } from './pairs.ts'

const ticker = '/kraken/0/public/Ticker'
const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: comparison with a real Kraken body; set CRYPTOS_CAPTURES')

describe('Kraken Ticker', () => {
  it('answers by canonical name, whichever name was asked', async () => {
    await using box = await openTestSandbox()
    const { status, json } = await box.get(`${ticker}?pair=XBTUSD,XETHZUSD,XBTEUR,SOLUSD`)
    expect([status, json.error]).toEqual([200, []])
    expect(Object.keys(json.result)).toEqual(['XXBTZUSD', 'XETHZUSD', 'XXBTZEUR', 'SOLUSD'])
    expect(json.result.XXBTZUSD.c[0]).toMatch(/^\d{5}\.\d{5}$/)
  })

  it.skipIf(!captures)('has the members of a real answer', async () => {
    const real = JSON.parse(readFileSync(join(captures ?? '', 'kraken', 'ticker_xbteur_2014.json'), 'utf8'))
    await using box = await openTestSandbox()
    const { json } = await box.get(`${ticker}?pair=XXBTZEUR`)
    const [mine, want] = [json.result.XXBTZEUR, real.result.XXBTZEUR]
    expect(Object.keys(mine)).toEqual(Object.keys(want))
    const types = (row: Record<string, unknown>): unknown[] =>
      Object.values(row).map(value =>
        Array.isArray(value) ? value.slice(0, 2).map(item => typeof item) : typeof value,
      )
    expect(types(mine)).toEqual(types(want))
  })

  it('has all our assets, with ask above bid and low to high around last', async () => {
    await using box = await openTestSandbox()
    const { json } = await box.get(ticker)
    expect(Object.keys(json.result)).toEqual(krakenPairs.map(pair => pair.name))
    for (const row of Object.values<Body>(json.result)) {
      expect(Number(row.a[0])).toBeGreaterThan(Number(row.b[0]))
      expect(Number(row.h[1])).toBeGreaterThanOrEqual(Number(row.c[0]))
      expect(Number(row.l[1])).toBeLessThanOrEqual(Number(row.c[0]))
    }
  })

  it('fails the whole list for one unknown pair, with HTTP 200', async () => {
    await using box = await openTestSandbox()
    const answer = await box.get(`${ticker}?pair=XBTUSD,NOPE`)
    expect([answer.status, answer.json]).toEqual([200, { error: ['EQuery:Unknown asset pair'] }])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({ result: 'refused', values: [] })
  })

  it('changes every two seconds and tells the meter the digits of the body', async () => {
    await using box = await openTestSandbox()
    const last = async (): Promise<string> =>
      (await box.get(`${ticker}?pair=XBTUSD`)).json.result.XXBTZUSD.c[0]
    const first = await last()
    box.clock.advance(1_999)
    expect(await last()).toBe(first)
    box.clock.advance(1)
    const second = await last()
    expect(second).not.toBe(first)
    expect(box.sandbox.meter.entries().map(entry => entry.values)).toEqual(
      [first, first, second].map(price => [
        { sourceId: 'XXBTZUSD', currency: 'USD', price, observedAt: null },
      ]),
    )
  })

  it('lets 15 calls through at once, then one every three seconds', async () => {
    await using box = await openTestSandbox()
    const ask = async (): Promise<unknown> => (await box.get(`${ticker}?pair=XBTUSD`)).json.error[0]
    for (let call = 0; call < 15; call += 1) expect(await ask()).toBeUndefined()
    expect(await ask()).toBe('EGeneral:Too many requests')
    expect(box.sandbox.meter.violations).toBe(1)
    box.clock.advance(3_031)
    expect([await ask(), await ask()]).toEqual([undefined, 'EGeneral:Too many requests'])
  })

  it('can be given other limits', async () => {
    await using box = await openTestSandbox({ limits: { kraken: { burst: 1, perSecond: 1 } } })
    await box.get(`${ticker}?pair=XBTUSD`)
    expect((await box.get(`${ticker}?pair=XBTUSD`)).json.error).toEqual(['EGeneral:Too many requests'])
  })
})
