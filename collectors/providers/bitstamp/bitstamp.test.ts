import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseIso, toIso } from '../../../core/time.ts'
import { assetRef, knownAssetRefs } from '../../assets.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import type { MappingContext } from '../../provider.ts'
import { bitstamp } from './index.ts'

const read = (file: string): string => readFileSync(join(import.meta.dirname, 'fixtures', file)).toString()
const [ticker, candles, markets] = ['ticker', 'ohlc', 'markets'].map(n => read(`${n}-2026-10.json`))
if (!ticker || !candles || !markets) throw new Error('a fixture is empty')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string, options = {}) => parseBody(bitstamp, bytes(text), { receivedAt, ...options })
const recordsOf = (text: string, options = {}) => {
  const parsed = parse(text, options)
  return 'records' in parsed ? parsed.records : []
}
const refs = knownAssetRefs(bitstamp)
const bitcoin = refs.filter(ref => ref.asset === 'bitcoin')
const range = { from: parseIso('2026-10-02T00:00:00Z'), to: parseIso('2026-10-06T00:00:00Z') }
const datasetNamed = (id: string) => {
  const found = bitstamp.datasets.find(d => d.id === id)
  if (!found) throw new Error(id)
  return found
}
const [quotes, history] = [datasetNamed('quotes'), datasetNamed('history')]

providerContract({
  provider: bitstamp,
  body: ticker,
  prices: { BTC: '81243' },
  times: { BTC: '2026-10-05T08:31:09Z' },
})

const historyPage = { assets: bitcoin, currency: 'USD', range }
providerContract({
  provider: bitstamp,
  dataset: 'history',
  page: historyPage,
  body: candles,
  prices: {
    'BTC@2026-10-02T23:59:59.999999Z': '80744.52',
    'BTC@2026-10-03T23:59:59.999999Z': '81900.770',
    'BTC@2026-10-04T23:59:59.999999Z': '81752',
  },
})

describe('the ticker of Bitstamp', () => {
  it('gives the last trade with volume, change and the time of the answer', () => {
    expect(recordsOf(ticker)).toMatchObject([
      {
        ...{ asset: 'bitcoin', symbol: 'BTC', sourceId: 'BTC', currency: 'USD', price: '81243' },
        ...{ volume24h: '1204.51200934', change24h: '-0.63' },
        ...{ observedAt: parseIso('2026-10-05T08:31:09Z'), observedBy: 'source' },
      },
    ])
  })

  it('is asked by the market of asset and currency, without a parameter', () => {
    const ask = (asset: string, currency: string) =>
      quotes.request({ assets: [assetRef(bitstamp, asset as never)], currency })
    expect(ask('bitcoin', 'EUR')).toMatchObject({ path: '/api/v2/ticker/btceur/', query: {} })
    expect(ask('dogecoin', 'USD')).toMatchObject({ path: '/api/v2/ticker/dogeusd/', query: {} })
  })

  it.each([
    ['31415.926535897932384626', '31415.926535897932384626'],
    ['0.00000950', '0.00000950'],
    ['81243.00', '81243.00'],
  ])('keeps the digits of %s', (sent, price) => {
    expect(recordsOf(ticker.replace('81243', sent))[0]?.price).toBe(price)
  })

  it('takes prices that are numbers, as old answers had some', () => {
    expect(recordsOf(ticker.replace('"81243"', '81243.50'))[0]?.price).toBe('81243.50')
  })

  it.each([
    ['another pair', '"pair": "ETH/USD"'],
    ['another currency', '"pair": "BTC/EUR"'],
    ['another market', '"market": "BTC/USD-PERP"'],
    ['null for a pair', '"pair": null'],
  ])('has no price from a body that names %s', (_, member) => {
    expect(parse(ticker.replace('{', `{${member},`))).toMatchObject({ outcome: 'payload-invalid' })
    expect(recordsOf(ticker.replace('{', '{"pair": "BTC/USD", "market": "BTC/USD",'))).toHaveLength(1)
  })

  it.each([
    ['a future', '"SPOT"', '"PERPETUAL"'],
    ['no price', '"81243"', '"0"'],
    ['an old shape of no price', '"81243"', 'null'],
    ['a thousands separator', '"81243"', '"81,243"'],
    ['a time to come', '"1791189069"', '"1791289069"'],
    ['a time in ms', '"1791189069"', '"1791189069000"'],
    ['no time', '"timestamp"', '"time"'],
    ['one name twice', '"high"', '"last"'],
  ])('refuses %s', (_, what, other) => {
    const outcomes = ['payload-invalid', 'provider-error', 'transport-error']
    const parsed = parse(ticker.replace(what, other))
    expect('outcome' in parsed && outcomes.includes(parsed.outcome)).toBe(true)
  })

  it('has no volume or change where they are no numbers, but a price', () => {
    const torn = ticker.replace('"1204.51200934"', 'null').replace('"-0.63"', '""')
    const [record] = recordsOf(torn)
    expect([record?.price, record?.volume24h, record?.change24h]).toEqual(['81243', undefined, undefined])
  })
})

describe('candles of Bitstamp', () => {
  const context: MappingContext = {
    ...{ provider: bitstamp.id, dataset: 'history', page: historyPage, origin: 'backfill', runId: 'r' },
    ...{ receivedAt, revision: 0, credits: 0 as never, rawRef: 'x' },
  }

  it.each([
    ['2026-10-02T00:00:00Z', '2026-10-05T00:00:00Z', { limit: '3', end: '1791158399' }],
    ['2026-10-02T12:00:00Z', '2026-10-05T12:00:00Z', { limit: '3', end: '1791158399' }],
    ['2026-10-02T12:00:00Z', '2026-10-02T13:00:00Z', { limit: '1', end: '1790985599' }],
    ['2020-01-01T00:00:00Z', '2026-10-05T00:00:00Z', { limit: '1000', end: '1791158399' }],
  ])('from %s to %s are asked by the last second and their number', (from, to, window) => {
    const page = { ...historyPage, range: { from: parseIso(from), to: parseIso(to) } }
    expect(history.request(page)).toMatchObject({ path: '/api/v2/ohlc/btcusd/' })
    expect(history.request(page).query).toEqual({ step: '86400', ...window, exclude_current_candle: 'true' })
  })

  it('close their day; the day that is not over has none, and no word is lost on it', () => {
    const { records, missing } = history.map(bytes(candles), context)
    expect(records.map(r => [toIso(r.observedAt), r.price, r.volume24h, r.currency])).toEqual([
      ['2026-10-02T23:59:59.999Z', '80744.52', '1123.05512000', 'USD'],
      ['2026-10-03T23:59:59.999Z', '81900.770', '1400.29003000', 'USD'],
      ['2026-10-04T23:59:59.999Z', '81752', '1299.90012000', 'USD'],
    ])
    expect(missing).toEqual([])
    expect(new Set(records.map(r => r.observedAt % 86_400_000_000))).toEqual(new Set([86_399_999_999]))
  })

  it.each([
    ['no beginning of a day', '"timestamp": "1790899200"', '"timestamp": "1790899260"'],
    ['no price', '"80744.52"', '"0.00"'],
    ['a close that is told twice', '"open": "80102"', '"close": "80102"'],
  ])('have no price with %s', (_, what, other) => {
    const { records, missing } = history.map(bytes(candles.replace(what, other)), context)
    expect(records.map(r => r.price)).toEqual(['81900.770', '81752'])
    expect(missing[0]?.reason).toMatch(/^1 of 3 points could not be read: \$\.data\.ohlc\[0\]/)
  })

  it('of another pair or currency are none', () => {
    for (const other of ['ETH/USD', 'BTC/EUR', 'BTC/USD-PERP'])
      expect(() => history.map(bytes(candles.replace('BTC/USD', other)), context)).toThrow(/\$\.data\.pair/)
  })

  it('that are not there are told', () => {
    const empty = '{"data": {"pair": "BTC/USD", "ohlc": []}}'
    expect(history.map(bytes(empty), context).missing[0]?.reason).toBe('no point in the asked range')
  })
})

describe('the list of markets of Bitstamp', () => {
  const { catalog } = bitstamp
  if (!catalog) throw new Error('no catalog')

  it('is one entry an asset with a spot market in dollars or euros', () => {
    const answer = { status: 200, headers: {}, body: bytes(markets), receivedAt }
    expect(catalog.judge(answer)).toMatchObject({ kind: 'answered' })
    expect(catalog.read(bytes(markets))).toEqual([
      { sourceId: 'BTC', symbol: 'BTC', name: 'Bitcoin', isActive: true },
      { sourceId: 'UMA', symbol: 'UMA', name: 'UMA', isActive: false },
    ])
  })

  it('has an asset active that is sold in one of the two', () => {
    const closed = markets.replace('"Enabled"', '"Disabled"')
    expect(catalog.read(bytes(closed))[0]).toMatchObject({ sourceId: 'BTC', isActive: true })
  })

  it('proposes nothing from a row whose names do not fit together', () => {
    const torn = markets.replace('"market_symbol": "umausd"', '"market_symbol": "umbusd"')
    expect(catalog.read(bytes(torn)).map(e => e.sourceId)).toEqual(['BTC'])
    const future = markets.replace(/(UMA \/ U.*?)SPOT/, '$1PERPETUAL')
    expect(catalog.read(bytes(future)).map(e => e.sourceId)).toEqual(['BTC'])
    expect(() => catalog.read(bytes('{"markets":[]}'))).toThrow(/^\$: wanted an array/)
  })
})
