import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, DecimalString } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { type ParsedBody, parseBody } from '../../parse-body.ts'
import { compareDecimals, isWithin } from './decimals.ts'
import { bitcoin, bytes, datasetOf, days, ethereum, fixture, receivedAt } from './fixtures/shapes.ts'
import { coindesk } from './index.ts'

const parse = (dataset: string, body: string, status = 200): ParsedBody =>
  parseBody(coindesk, bytes(body), { receivedAt, dataset, status })

describe('two dialects', () => {
  it('is retired without a key, and says since when and what to use', () => {
    expect(coindesk.keyless?.retired).toMatchObject({ since: '2025-02-12' })
    expect(coindesk.keyless?.retired?.reason).toMatch(/Kraken or Coinbase.*COINDESK_API_KEY/)
    expect(coindesk.keyed?.retired).toBeUndefined()
    expect(coindesk.keyed?.authorize?.('k', receivedAt)).toEqual({ name: 'Authorization', value: 'Apikey k' })
  })

  it.each([
    ['USD', '/v1/bpi/currentprice.json'],
    ['EUR', '/v1/bpi/currentprice/EUR.json'],
    ['GBP', '/v1/bpi/currentprice/GBP.json'],
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
