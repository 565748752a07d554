import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { type ParsedBody, parseBody } from '../../parse-body.ts'
import type { Dataset, Mapped, Page } from '../../provider.ts'
import { splitInstrument } from './assets.ts'
import { compareDecimals, isWithin } from './decimals.ts'
import { coindesk } from './index.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')
const datasetOf = (id: string): Dataset => coindesk.datasets.find(d => d.id === id) as Dataset
const [bitcoin, ethereum] = knownAssetRefs(coindesk) as [Page['assets'][0], Page['assets'][0]]
const days = (from: string, to: string) => ({
  from: parseIso(`${from}T00:00:00Z`),
  to: parseIso(`${to}T00:00:00Z`),
})

function map(dataset: string, body: string, page: Partial<Page> = {}): Mapped {
  return datasetOf(dataset).map(bytes(body), {
    ...{ provider: coindesk.id, dataset, origin: 'live', runId: 'r', receivedAt, revision: 0, rawRef: 'raw' },
    ...{ credits: Credits(1), page: { assets: [bitcoin], currency: 'USD', ...page } },
  })
}
const pricesOf = ({ records }: Mapped): unknown => records.map(r => [r.sourceId, r.currency, r.price])
const reasonsOf = ({ missing }: Mapped): readonly string[] => missing.map(m => m.reason)
const parse = (dataset: string, body: string, status = 200): ParsedBody =>
  parseBody(coindesk, bytes(body), { receivedAt, dataset, status })
const bpi = (entry: object, code = 'USD'): string =>
  JSON.stringify({ time: { updatedISO: '2024-08-18T04:19:23+00:00' }, bpi: { [code]: entry } })

describe('two dialects', () => {
  it('is retired without a key, and says since when and what to use', () => {
    expect(coindesk.keyless?.retired).toMatchObject({ since: '2025-02-12' })
    expect(coindesk.keyless?.retired?.reason).toMatch(/Kraken or Coinbase.*COINDESK_API_KEY/)
    expect(coindesk.keyed?.retired).toBeUndefined()
    expect(coindesk.keyed?.authorize?.('k', receivedAt)).toEqual({ name: 'Authorization', value: 'Apikey k' })
  })

  it.each([
    ['USD', '/v1/bpi/currentprice.json'],
    ['EUR', '/v1/bpi/currentprice.json'],
    ['GBP', '/v1/bpi/currentprice.json'],
    ['JPY', '/v1/bpi/currentprice/JPY.json'],
    ['../x', '/v1/bpi/currentprice/..%2Fx.json'],
  ])('asks the index for %s at %s', (currency, path) => {
    expect(datasetOf('quotes').request({ assets: [bitcoin], currency })).toMatchObject({ path, query: {} })
  })

  it('asks for whole days only, and never before the first', () => {
    const { request } = datasetOf('history')
    const asked = (from: string, to: string) =>
      request({ assets: [bitcoin], currency: 'USD', range: { from: parseIso(from), to: parseIso(to) } }).query
    const whole = { start: '2026-09-28', end: '2026-10-01', currency: 'USD' }
    expect(asked('2026-09-28T00:00:00Z', '2026-10-02T00:00:00Z')).toEqual(whole)
    expect(asked('2026-09-28T11:00:00Z', '2026-10-02T23:00:00Z')).toEqual(whole)
    expect(asked('2009-01-03T00:00:00Z', '2010-07-19T00:00:00Z')).toMatchObject({
      ...{ start: '2010-07-17', end: '2010-07-18' },
    })
    expect(asked('2009-01-03T00:00:00Z', '2009-02-01T00:00:00Z')).toMatchObject({ end: '2010-07-17' })
  })

  it('makes instruments of any currency, and asks past days by the second before midnight', () => {
    const page = { assets: [bitcoin, ethereum], currency: 'EUR' }
    expect(datasetOf('tick').request(page).query).toEqual({
      ...{ market: 'cadli', instruments: 'BTC-EUR,ETH-EUR', apply_mapping: 'true', groups: 'ID,VALUE' },
    })
    const range = days('2026-09-29', '2026-10-02')
    expect(datasetOf('tick-history').request({ ...page, range }).query).toMatchObject({
      ...{
        instrument: 'BTC-EUR',
        limit: '3',
        to_ts: String(Date.UTC(2026, 9, 2) / 1_000 - 1),
        fill: 'false',
      },
    })
    const long = datasetOf('tick-history').request({ ...page, range: days('2010-07-17', '2026-10-02') })
    expect(long.query['limit']).toBe('2000')
  })
})

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
      ...['2026-09-25 to 2026-09-27: not in the answer', '2026-10-02 to 2026-10-04: not in the answer'],
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
      ...['2026-10-02: the day was not over', '2026-10-03: the day was not over'],
      ...['$.bpi: "2026-02-30" is no day', '$.bpi: "USD" is no day'],
    ])
    expect(() => map('history', '{"bpi":{"2026-10-01":null}}')).toThrow('$.bpi.2026-10-01: wanted a decimal')
    expect(reasonsOf(map('history', '{"bpi":{}}'))).toEqual(['no close in the answer'])
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

describe('the tick of the Data API', () => {
  const tick = (more: object, name = 'BTC-USD') =>
    JSON.stringify({ Data: { [name]: { VALUE: 81.5, VALUE_LAST_UPDATE_TS: 1791189072, ...more } }, Err: {} })

  it('has microseconds, and is recorded without its other groups', () => {
    const at = (more: object) => map('tick', tick(more)).records.map(r => r.observedAt)
    expect(at({})).toEqual([1_791_189_072_000_000])
    expect(at({ VALUE_LAST_UPDATE_TS_NS: 843_123_999 })).toEqual([1_791_189_072_843_123])
    expect(at({ VALUE_LAST_UPDATE_TS_NS: null, INSTRUMENT: 'BTC-USD', MARKET: 'cadli' })).toHaveLength(1)
  })

  it('without a time is of the moment that it came, and says so', () => {
    const { records } = map('tick', tick({ VALUE_LAST_UPDATE_TS: undefined }))
    expect(records).toMatchObject([{ price: '81.5', observedAt: receivedAt, observedBy: 'receiver' }])
  })

  it.each([
    [{ INSTRUMENT: 'BTC-EUR' }, '$.Data.BTC-USD.INSTRUMENT: wanted the text "BTC-USD"'],
    [{ MARKET: 'ccix' }, '$.Data.BTC-USD.MARKET'],
    [{ VALUE: 0 }, '$.Data.BTC-USD.VALUE: wanted a price above 0'],
    [{ VALUE: '1,234.5' }, '$.Data.BTC-USD.VALUE'],
    [{ VALUE_LAST_UPDATE_TS: null }, '$.Data.BTC-USD.VALUE_LAST_UPDATE_TS: wanted seconds'],
    [{ VALUE_LAST_UPDATE_TS: 1_791_189_072_000 }, 'wanted a time from 2010 to now'],
    [{ VALUE_LAST_UPDATE_TS: 3 }, 'wanted a time from 2010 to now'],
    [{ VALUE_LAST_UPDATE_TS_NS: 1e9 }, '$.Data.BTC-USD.VALUE_LAST_UPDATE_TS_NS'],
  ])('with %j is no price', (more, path) => {
    expect(() => map('tick', tick(more))).toThrow(path)
  })

  it('leaves out no asset: what is not there has a reason, with the word of Err', () => {
    const body = JSON.stringify({
      Data: { ...JSON.parse(tick({})).Data, 'SOL-USD': null },
      Err: { type: 1, message: 'ETH-USD does not exist' },
    })
    const assets = knownAssetRefs(coindesk).slice(0, 3)
    const mapped = map('tick', body, { assets })
    expect(pricesOf(mapped)).toEqual([['BTC', 'USD', '81.5']])
    expect(mapped.missing.map(m => [m.sourceId, m.reason])).toEqual([
      ['ETH', 'ETH-USD is not in the answer: ETH-USD does not exist'],
      ['SOL', 'SOL-USD is null'],
    ])
  })

  it('of a saved body has every asset in every currency, known or not', () => {
    const row = { VALUE: 2.5, VALUE_LAST_UPDATE_TS: 1791189072 }
    const saved = map(
      'tick',
      JSON.stringify({ Data: { 'BTC-USD': row, 'BTC-EUR': row, 'TAO-USD': row, odd: row } }),
      {
        assets: [],
      },
    )
    expect(saved.records.map(r => [r.asset, r.sourceId, r.currency])).toEqual([
      ['bitcoin', 'BTC', 'USD'],
      ['coindesk:TAO', 'TAO', 'USD'],
      ['bitcoin', 'BTC', 'EUR'],
    ])
    expect(() => map('tick', '{"Data":{}}', { assets: [] })).toThrow(
      '$.Data: wanted instruments like BTC-USD',
    )
    expect(splitInstrument('1INCH-USDT')).toEqual({ base: '1INCH', currency: 'USDT' })
    for (const name of ['BTCUSD', 'BTC-', '-USD', 'A-B-USD', '__proto__'])
      expect(splitInstrument(name)).toBeUndefined()
  })
})

describe('closes of the Data API', () => {
  const row = (more: object) => ({
    ...{ UNIT: 'DAY', TIMESTAMP: 1790640000, MARKET: 'cadli', INSTRUMENT: 'BTC-USD' },
    ...{ HIGH: 80333.01, LOW: 78790.5571, CLOSE: 80002.10418877, ...more },
  })
  const body = (...rows: unknown[]): string => JSON.stringify({ Data: rows, Err: {} })

  it.each([
    [{ UNIT: 'HOUR' }, '$.Data[0].UNIT'],
    [{ MARKET: 'ccix' }, '$.Data[0].MARKET'],
    [{ INSTRUMENT: 'BTC-EUR' }, '$.Data[0].INSTRUMENT'],
    [{ TIMESTAMP: 1790640001 }, '$.Data[0].TIMESTAMP: wanted the seconds of a midnight'],
    [{ CLOSE: 80333.02 }, '$.Data[0].CLOSE: wanted a price from LOW 78790.5571 to HIGH 80333.01'],
    [{ CLOSE: 8000.21 }, '$.Data[0].CLOSE'],
    [{ CLOSE: null }, '$.Data[0].CLOSE: wanted a decimal number'],
  ])('with %j are none', (more, path) => {
    expect(() => map('tick-history', body(row(more)))).toThrow(path)
    const mapped = map('tick-history', body(row({ TIMESTAMP: 1790726400 }), row(more)))
    expect(mapped.records).toHaveLength(1)
    expect(reasonsOf(mapped).join()).toContain(path.replace('[0]', '[1]').split(':')[0])
  })

  it('of one day that differ are none, of today neither', () => {
    const today = Date.UTC(2026, 9, 5) / 1_000
    const mapped = map('tick-history', body(row({}), row({ CLOSE: 80001 }), row({ TIMESTAMP: today })))
    expect([mapped.records, reasonsOf(mapped)]).toEqual([
      [],
      ['2026-09-29: two rows of this day differ', '2026-10-05: the day was not over'],
    ])
    expect(map('tick-history', body(row({}), row({}))).records).toHaveLength(1)
  })
})

describe('errors of the Data API', () => {
  const judge = (status: number, body: unknown, headers = {}) =>
    datasetOf('tick').judge(
      { status, headers, body: bytes(JSON.stringify(body)), receivedAt },
      { assets: [], currency: 'USD' },
    )
  const err = (status: number, type: number, message: string) => ({
    Data: {},
    Err: { type, message, http_status_code: status, frontend: {} },
  })

  it.each([
    [401, err(401, 2, 'API key required, get one'), 'unauthorized'],
    [200, err(401, 2, 'API key required, get one'), 'unauthorized'],
    [403, err(403, 2, 'Your plan lacks this'), 'unauthorized'],
    [400, err(400, 2, 'limit parameter is out of range'), 'bad-request'],
    [404, err(404, 1, 'instrument does not exist'), 'bad-request'],
    [429, err(429, 99, 'You are over your rate limit'), 'rate-limited'],
    [200, err(429, 99, 'You are over your rate limit'), 'rate-limited'],
    [500, err(500, 3, 'Something'), 'provider-error'],
    [200, err(500, 3, 'Something'), 'provider-error'],
    [200, { Data: {}, Err: 'broken' }, 'provider-error'],
    [
      200,
      { Response: 'Error', Message: 'You are over your rate limit', Type: 99, RateLimit: {} },
      'rate-limited',
    ],
    [200, { Response: 'Error', Message: 'limit is larger than max', Type: 2 }, 'bad-request'],
    [200, { Response: 'Error', Message: 'You need a valid auth key or api key', Type: 1 }, 'unauthorized'],
    [200, { Response: 'Error', Message: 'Something', Type: 42 }, 'provider-error'],
  ])('%i %j is %s', (status, body, outcome) => {
    const known = status >= 400 && status < 500
    const charge = known ? { kind: 'known', credits: 0 } : { kind: 'unknown' }
    expect(judge(status, body)).toMatchObject({ kind: 'refused', outcome, charge })
  })

  it('Err beside data is an answer, but for a limit or a key', () => {
    const data = { 'BTC-USD': { VALUE: 1 } }
    expect(judge(200, { Data: data, Err: { type: 1, message: 'ETH-USD does not exist' } }).kind).toBe(
      'answered',
    )
    expect(judge(200, { Data: [1], Err: { type: 1, message: 'x' } }).kind).toBe('answered')
    expect(judge(200, { Data: data, Err: { type: 99, message: 'x' } })).toMatchObject({
      outcome: 'rate-limited',
    })
    expect(judge(200, { Data: data, Err: { type: 2, http_status_code: 401 } })).toMatchObject({
      outcome: 'unauthorized',
    })
    expect(judge(200, { Data: data })).toEqual({ kind: 'answered', charge: { kind: 'unknown' } })
  })

  it.each([
    [{ second: 21, minute: 30, hour: 200, day: 900, month: 11_000 }, '2026-11-01T00:00:00.000Z'],
    [{ second: 1, minute: 30, hour: 200, day: 7_500, month: 10_999 }, '2026-10-06T00:00:00.000Z'],
    [{ second: 1, minute: 30, hour: 3_001, day: 7_000, month: 10_000 }, '2026-10-05T09:31:13.000Z'],
    [{ second: 1, minute: 301, hour: 400, day: 500, month: 600 }, '2026-10-05T08:32:13.000Z'],
    [{}, '2026-10-05T08:32:13.000Z'],
  ])('waits to the end of the longest window that %j has used up: %s', (calls_made, until) => {
    const max_calls = { second: 20, minute: 300, hour: 3_000, day: 7_500, month: 11_000 }
    const body = { Response: 'Error', Type: 99, Message: 'over', RateLimit: { calls_made, max_calls } }
    const verdict = judge(200, body)
    expect(verdict.kind === 'refused' && verdict.retryAt !== null && toIso(verdict.retryAt)).toBe(until)
    const told = judge(200, body, { 'retry-after': '7' })
    expect(told.kind === 'refused' && told.retryAt !== null && toIso(told.retryAt)).toBe(
      '2026-10-05T08:31:20.000Z',
    )
  })
})

describe('exact decimals', () => {
  const decimals = fc.tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.integer({ min: 0, max: 6 }))
  const text = ([units, scale]: readonly [number, number]) => DecimalString(`${units}e-${scale}`)

  it('compare as the numbers do', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const [left, right] = [BigInt(a[0]) * 10n ** BigInt(6 - a[1]), BigInt(b[0]) * 10n ** BigInt(6 - b[1])]
        expect(compareDecimals(text(a), text(b))).toBe(left < right ? -1 : left > right ? 1 : 0)
        const apart = left > right ? left - right : right - left
        expect(isWithin(text(a), text(b), 3)).toBe(apart <= 1_000n)
      }),
    )
    expect(compareDecimals(DecimalString('1e3'), DecimalString('1000.000'))).toBe(0)
  })
})

const captures = process.env['CRYPTOS_CAPTURES']
if (!captures)
  console.warn('SKIPPED: real CoinDesk bodies are not read; set CRYPTOS_CAPTURES to their folder')

describe.skipIf(!captures)('real answers, values read by hand', () => {
  const real = (name: string): Uint8Array => readFileSync(join(captures ?? '', 'coindesk', name))

  it('closes of the index in AUD, of 2021', () => {
    const options = { receivedAt, dataset: 'history' }
    const parsed = parseBody(coindesk, real('bpi_historical_close_aud.json'), { ...options, currency: 'AUD' })
    expect(
      'records' in parsed && parsed.records.map(r => [r.currency, r.price, toIso(r.observedAt)]),
    ).toEqual([
      ['AUD', '38204.8987', '2021-01-01T23:59:59.999Z'],
      ['AUD', '41853.1942', '2021-01-02T23:59:59.999Z'],
      ['AUD', '42925.6366', '2021-01-03T23:59:59.999Z'],
      ['AUD', '41751.2249', '2021-01-04T23:59:59.999Z'],
      ['AUD', '43890.3534', '2021-01-05T23:59:59.999Z'],
      ['AUD', '47190.09', '2021-01-06T23:59:59.999Z'],
      ['AUD', '50862.227', '2021-01-07T23:59:59.999Z'],
    ])
    expect('missing' in parsed && parsed.missing).toEqual([])
    const asUsd = parseBody(coindesk, real('bpi_historical_close_aud.json'), options)
    expect(asUsd).toMatchObject({ records: [], missing: [{ reason: 'closes in AUD, asked was USD' }] })
  })

  it('a whole tick of the Data API', () => {
    const body = real('dataapi_index_cc_v1_latest_tick_full.json')
    const parsed = parseBody(coindesk, body, { receivedAt, dataset: 'tick' })
    expect(parsed).toMatchObject({
      records: [
        {
          ...{ asset: AssetId('bitcoin'), symbol: 'BTC', sourceId: 'BTC', currency: 'USD' },
          ...{ price: '96353.9044445288', observedAt: 1_740_304_364_843_000, observedBy: 'source' },
        },
      ],
      missing: [],
    })
  })
})

it('a body of one dialect is no answer of the other', () => {
  expect(parse('tick', fixture('bpi-currentprice.json'))).toMatchObject({ outcome: 'payload-invalid' })
  expect(parse('quotes', fixture('tick-2026-10.json'))).toMatchObject({ outcome: 'payload-invalid' })
  expect(parse('history', fixture('days-2026-10.json'))).toMatchObject({ outcome: 'payload-invalid' })
  expect(parse('tick-history', fixture('tick-2026-10.json'))).toMatchObject({ outcome: 'payload-invalid' })
})
