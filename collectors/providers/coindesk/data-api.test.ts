import { describe, expect, it } from 'vitest'
import { toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { splitInstrument } from './assets.ts'
import { bytes, datasetOf, map, pricesOf, reasonsOf, receivedAt } from './fixtures/shapes.ts'
import { coindesk } from './index.ts'

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

  it('with a name that stands twice is no price: nothing tells whose it is', () => {
    const twice = tick({}).replace('"VALUE":81.5', '"VALUE":81.5,"VALUE":82.5')
    expect(() => map('tick', twice)).toThrow('$.Data.BTC-USD: wanted each name once')
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
      ['2026-09-29: two rows with different prices; 2026-10-05: the day was not over'],
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
