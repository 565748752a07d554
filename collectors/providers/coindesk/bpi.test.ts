import { describe, expect, it } from 'vitest'
import { toIso } from '../../../core/time.ts'
import {
  bytes,
  datasetOf,
  days,
  ethereum,
  fixture,
  map,
  pricesOf,
  reasonsOf,
  receivedAt,
} from './fixtures/shapes.ts'

const bpi = (entry: object, code = 'USD'): string =>
  JSON.stringify({ time: { updatedISO: '2024-08-18T04:19:23+00:00' }, bpi: { [code]: entry } })

describe('the Bitcoin Price Index', () => {
  it('gives the price in the asked currency and its time', () => {
    const { records } = map('quotes', fixture('bpi-currentprice.json'), { currency: 'GBP' })
    expect(records).toMatchObject([
      {
        asset: 'bitcoin',
        symbol: 'BTC',
        sourceId: 'BTC',
        currency: 'GBP',
        price: '60914.4996',
        observedBy: 'source',
      },
    ])
    expect(records.map(r => toIso(r.observedAt))).toEqual(['2026-10-05T08:31:00.000Z'])
  })

  it('reads the body of one currency more, as it was in 2019', () => {
    const body = fixture('bpi-currentprice-jpy-2019.json')
    const { records } = map('quotes', body, { currency: 'JPY' })
    expect(records.map(r => [r.currency, r.price, toIso(r.observedAt)])).toEqual([
      ['JPY', '426701.05', '2019-03-03T10:20:00.000Z'],
    ])
    expect(pricesOf(map('quotes', body))).toEqual([['BTC', 'USD', '3811.4733']])
  })

  it.each([
    ['57,756.2984', 57756.2984],
    ['45,987.9', 45987.8996],
    ['59,524.404', 59524.4038],
    ['950.3456', 950.3456],
    ['1.0000', 1],
    ['1,234,567.8912', 1234567.8912],
    ['57756.2984', 57756.2984],
  ])('takes rate %s for a rounded %d', (rate, rate_float) => {
    expect(pricesOf(map('quotes', bpi({ code: 'USD', rate, rate_float })))).toEqual([
      ['BTC', 'USD', String(rate_float)],
    ])
  })

  it.each([
    [{ code: 'USD', rate: '45,987.9', rate_float: 45987.9011 }, /disagree/],
    [{ code: 'USD', rate: '57,756.2984', rate_float: 57.7562984 }, /disagree/],
    [{ code: 'USD', rate: '57,756.2984', rate_float: 5.77562984e-4 }, /disagree/],
    [{ code: 'USD', rate: '57,756.2984', rate_float: null }, /is null/],
  ])('gives no price for %j', (entry, reason) => {
    const mapped = map('quotes', bpi(entry))
    expect([mapped.records, reasonsOf(mapped)]).toEqual([[], [expect.stringMatching(reason)]])
  })

  it.each([
    [{ code: 'GBP', rate: '1.0000', rate_float: 1 }, '$.bpi.USD.code: wanted the text "USD"'],
    [{ rate: '1.0000', rate_float: 1 }, '$.bpi.USD.code'],
    [{ code: 'USD', rate: '57.756,2984', rate_float: 57756.2984 }, '$.bpi.USD.rate: wanted a rate'],
    [{ code: 'USD', rate: '5,7756.2984', rate_float: 57756.2984 }, '$.bpi.USD.rate'],
    [{ code: 'USD', rate_float: 57756.2984 }, '$.bpi.USD.rate'],
    [{ code: 'USD', rate: '0.0000', rate_float: 0 }, '$.bpi.USD.rate_float: wanted a price above 0'],
    [{ code: 'USD', rate: '1.0000', rate_float: -1 }, '$.bpi.USD.rate_float'],
    [{ code: 'USD', rate: '1.0000' }, '$.bpi.USD.rate_float'],
  ])('refuses %j', (entry, path) => {
    expect(() => map('quotes', bpi(entry))).toThrow(path)
  })

  it('refuses a time that is none, and tells a currency that is not there', () => {
    const entry = { code: 'USD', rate: '1.0000', rate_float: 1 }
    expect(() => map('quotes', JSON.stringify({ time: {}, bpi: { USD: entry } }))).toThrow(
      '$.time.updatedISO',
    )
    const late = { time: { updatedISO: '2027-01-01T00:00:00+00:00' }, bpi: { USD: entry } }
    expect(() => map('quotes', JSON.stringify(late))).toThrow('not to come')
    expect(reasonsOf(map('quotes', bpi(entry), { currency: 'CHF' }))).toEqual(['no price in CHF'])
    expect(reasonsOf(map('quotes', bpi(entry), { assets: [ethereum] }))).toEqual([
      'the Bitcoin Price Index is of bitcoin only',
    ])
  })

  it.each([
    [404, 'Sorry, that currency was not found', 'bad-request'],
    [404, 'Sorry, the CoinDesk BPI only covers data from 2010-07-17 onwards.', 'bad-request'],
    [404, 'Sorry, your specified end date is before your start date.', 'bad-request'],
    [500, 'No results returned from database', 'provider-error'],
    [429, 'Too Many Requests', 'rate-limited'],
    [503, '<html>Service Unavailable</html>', 'provider-error'],
    [200, 'Sorry, that currency was not found', 'transport-error'],
    [200, '<html>for sale</html>', 'transport-error'],
  ])('%i %s is %s, free and told', (status, text, outcome) => {
    for (const id of ['quotes', 'history']) {
      const verdict = datasetOf(id).judge(
        { status, headers: {}, body: bytes(text), receivedAt },
        { assets: [], currency: 'USD' },
      )
      expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } })
      expect(verdict.kind === 'refused' && verdict.reason).toContain(text)
    }
  })
})

describe('closes of the index', () => {
  const body = fixture('bpi-close-2026-10.json')
  const close = (currency: string, disclaimer: string, updatedISO = '2021-01-08T00:03:00+00:00') =>
    map(
      'history',
      JSON.stringify({ bpi: { '2021-01-06': 9.5, '2021-01-07': 9.75 }, disclaimer, time: { updatedISO } }),
      {
        currency,
      },
    )

  it('close their day in its last microsecond', () => {
    const { records, missing } = map('history', body, { range: days('2026-09-29', '2026-10-01') })
    expect(
      records.map(r => [
        r.price,
        r.observedAt - Date.parse(`${toIso(r.observedAt).slice(0, 10)}T00:00:00Z`) * 1_000,
      ]),
    ).toEqual([
      ['80002.1042', 86_399_999_999],
      ['80417.93', 86_399_999_999],
    ])
    expect(missing).toEqual([])
  })

  it('are missing by name for the days that did not come', () => {
    const mapped = map('history', body, { range: days('2026-09-25', '2026-10-05') })
    expect(mapped.records).toHaveLength(4)
    expect(reasonsOf(mapped)).toEqual([
      '2026-09-25 to 2026-09-27: not in the answer, which begins later; 2026-10-02 to 2026-10-04: not in the answer',
    ])
  })

  it('are none on the day of the answer, nor in the place of a day', () => {
    const text = JSON.stringify({
      bpi: { '2026-10-01': 5.5, '2026-10-02': 6.5, '2026-02-30': 7.5, USD: 8.5, '2026-10-03': null },
      time: { updatedISO: '2026-10-02T00:03:00+00:00' },
    })
    const mapped = map('history', text)
    expect(pricesOf(mapped)).toEqual([['BTC', 'USD', '5.5']])
    expect(reasonsOf(mapped)).toEqual([
      '2 of 5 points could not be read: $.bpi: "2026-02-30" is no day; 2026-10-02 to 2026-10-03: the day was not over',
    ])
    expect(() => map('history', '{"bpi":{"2026-10-01":null}}')).toThrow('$.bpi.2026-10-01: wanted a decimal')
    expect(reasonsOf(map('history', '{"bpi":{}}'))).toEqual(['no point in the asked range'])
  })

  it('count in USD, and in another currency only from before the API gave USD for everything', () => {
    expect(close('USD', 'value data returned as USD.').records).toHaveLength(2)
    expect(close('USD', 'no currency at all').records).toHaveLength(2)
    expect(close('AUD', 'value data returned as AUD.').records.map(r => r.currency)).toEqual(['AUD', 'AUD'])
    for (const [currency, disclaimer, updated, reason] of [
      ['USD', 'returned as AUD.', undefined, /closes in AUD, asked was USD/],
      ['EUR', 'returned as AUD.', undefined, /closes in AUD, asked was EUR/],
      ['EUR', 'no currency at all', undefined, /nothing says that the closes are in EUR/],
      ['EUR', 'returned as EUR.', '2022-07-10T00:03:00+00:00', /gave USD whatever was asked/],
      ['EUR', 'returned as EUR.', '2024-08-01T00:03:00+00:00', /gave USD whatever was asked/],
    ] as const) {
      const mapped = close(currency, disclaimer, updated)
      expect([mapped.records, reasonsOf(mapped)]).toEqual([[], [expect.stringMatching(reason)]])
    }
  })
})
