import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Credits } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import type { Dataset, Mapped, MappingContext, Page } from '../../provider.ts'
import { coingecko } from './index.ts'

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', name))
const prices = read('simple-price-2026-10.json')
const markets = read('markets-2026-10.json')
const globalBody = read('global-2026-10.json')
const chart = read('chart-2026-09.json')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const [quotes, market, global, history] = coingecko.datasets as readonly [Dataset, Dataset, Dataset, Dataset]
const refs = knownAssetRefs(coingecko)
const refsOf = (...assets: string[]): Page['assets'] => refs.filter(ref => assets.includes(ref.asset))
const all: Page = { assets: refs, currency: 'USD' }
const none: Page = { assets: [], currency: 'USD' }
const september = { from: parseIso('2026-09-01T00:00:00Z'), to: parseIso('2026-09-04T00:00:00Z') }
const past: Page = { assets: refsOf('bitcoin'), currency: 'USD', range: september }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const contextOf = (dataset: Dataset, page: Page): MappingContext => ({
  ...{ provider: coingecko.id, dataset: dataset.id, page, origin: 'live', runId: 'r', receivedAt },
  ...{ revision: 0, credits: Credits(1), rawRef: 'raw' },
})
const map = (dataset: Dataset, body: string | Uint8Array, page: Page): Mapped =>
  dataset.map(typeof body === 'string' ? bytes(body) : body, contextOf(dataset, page))

providerContract({
  provider: coingecko,
  body: prices.toString(),
  prices: { bitcoin: '81240.12345678901', dogecoin: '9.614444201187e-12', 'pax-gold': '4.05e3' },
  times: { bitcoin: '2026-10-05T08:30:31Z', dogecoin: '2026-10-05T08:30:32Z' },
})
providerContract({
  provider: coingecko,
  dataset: 'market',
  page: all,
  body: markets.toString(),
  prices: { bitcoin: '81240.1234567', dogecoin: '9.614444201187e-12' },
  times: { bitcoin: '2026-10-05T08:30:31.443Z' },
})
providerContract({
  provider: coingecko,
  dataset: 'global',
  page: none,
  body: globalBody.toString(),
  prices: {
    ...{ 'total-market-cap': '2861234567890.1234', 'total-volume-24h': '118765432109.87' },
    ...{
      'bitcoin-dominance': '56.93123',
      'ethereum-dominance': '12.04321',
      assets: '18345',
      exchanges: '1391',
    },
  },
  times: { 'total-market-cap': '2026-10-05T08:26:10Z' },
})
providerContract({
  provider: coingecko,
  dataset: 'history',
  page: { ...past, range: { from: parseIso('2026-08-31T00:00:00Z'), to: parseIso('2026-09-30T00:00:00Z') } },
  body: chart.toString(),
  prices: {
    'bitcoin@2026-08-31T23:59:59.999999Z': '77001.5',
    'bitcoin@2026-09-01T23:59:59.999999Z': '77432.10',
    'bitcoin@2026-09-02T23:59:59.999999Z': '78010.75',
    'bitcoin@2026-09-04T23:59:59.999999Z': '79555.25',
    'bitcoin@2026-09-05T09:20:00.123Z': '79600.875',
  },
})

describe('CoinGecko simple price', () => {
  it('asks all named coins at once, with full precision', () => {
    expect(quotes.request({ assets: refsOf('bitcoin', 'xrp'), currency: 'EUR' })).toMatchObject({
      path: '/simple/price',
      query: {
        ids: 'bitcoin,ripple',
        vs_currencies: 'eur',
        precision: 'full',
        include_last_updated_at: 'true',
      },
    })
  })

  it('maps what was asked: digits as sent, 0 unknown, null and {} no price, omitted ids missing', () => {
    const { records, missing } = map(quotes, prices, all)
    expect(records.map(r => r.asset)).toEqual(['bitcoin', 'dogecoin', 'pax-gold'])
    expect(records[0]).toMatchObject({
      ...{ symbol: 'BTC', currency: 'USD', price: '81240.12345678901', marketCap: '1628953268410.4417' },
      ...{ volume24h: '31876543210.98765', change24h: '0.7123456789', observedBy: 'source' },
    })
    expect(records[1]).not.toHaveProperty('marketCap')
    expect(Object.fromEntries(missing.map(m => [m.asset, m.reason]))).toMatchObject({
      ...{ xrp: 'no price in USD', solana: 'no price in USD', cardano: 'not in the answer' },
    })
    expect(records.length + missing.length).toBe(refs.length)
  })

  it('takes no other currency than the asked one', () => {
    const { records, missing } = map(quotes, prices, { ...all, currency: 'EUR' })
    expect([records, missing.length]).toEqual([[], refs.length])
  })

  it('keeps a clock that is absent apart from one that is wrong', () => {
    expect(map(quotes, '{"bitcoin":{"usd":2}}', all).records[0]).toMatchObject({ observedBy: 'receiver' })
    for (const wrong of ['"2026-10-05T08:30:31Z"', '1791189031443', '12', '1.5'])
      expect(() => map(quotes, `{"bitcoin":{"usd":2,"last_updated_at":${wrong}}}`, all), wrong).toThrow(
        '$["bitcoin"].last_updated_at',
      )
  })

  it('is no answer without a single asked coin', () => {
    for (const text of ['{}', '{"status":{"usd":2}}', '{"data":{}}', '[]'])
      expect(() => map(quotes, text, all), text).toThrow('$: wanted')
  })

  it('reads a saved body by itself; a coin named status is one', () => {
    const parsed = parseBody(coingecko, prices, { receivedAt })
    expect('records' in parsed && parsed.records.map(r => r.asset)).toEqual([
      ...['bitcoin', 'dogecoin', 'coingecko:status', 'pax-gold'],
    ])
  })
})

describe('CoinGecko markets', () => {
  it('asks by name, or the largest', () => {
    expect(market.request({ assets: refsOf('bitcoin', 'xrp'), currency: 'USD' }).query).toMatchObject({
      ...{ ids: 'bitcoin,ripple', vs_currency: 'usd', per_page: '2' },
    })
    const top = market.request({ ...none, top: 100 }).query
    expect([top['ids'], top['per_page'], top['order']]).toEqual([undefined, '100', 'market_cap_desc'])
  })

  it('gives the largest, namesakes under ids of their own, no more than asked', () => {
    const { records, missing } = map(market, markets, { ...none, top: 100 })
    expect(records.map(r => [r.asset, r.symbol])).toEqual([
      ...[
        ['bitcoin', 'BTC'],
        ['coingecko:bridged-test-bitcoin', 'BTC'],
        ['dogecoin', 'DOGE'],
      ],
    ])
    expect(missing).toEqual([{ asset: 'xrp', sourceId: 'ripple', reason: 'no price in USD' }])
    expect(records[0]).toMatchObject({
      supply: '20051093.0',
      change24h: '0.71042',
      volume24h: '31876543210.5',
    })
    expect(map(market, markets, { ...none, top: 1 }).records).toHaveLength(1)
  })
})

describe('CoinGecko global', () => {
  it('takes the amounts of the asked currency, and none of another', () => {
    const names = (currency: string): unknown =>
      map(global, globalBody, { assets: [], currency })
        .metrics?.map(m => [m.name, m.currency, m.value])
        .slice(0, 2)
    expect(names('EUR')).toEqual([
      ['total-market-cap', 'EUR', '2460000000000.5'],
      ['total-volume-24h', 'EUR', '102000000000.25'],
    ])
    expect(names('GBP')).toEqual([
      ['bitcoin-dominance', undefined, '56.93123'],
      ['ethereum-dominance', undefined, '12.04321'],
    ])
    for (const text of ['{}', '{"data":{}}', '{"data":[]}'])
      expect(() => map(global, text, none)).toThrow('$.data')
  })
})

describe('CoinGecko history', () => {
  it('asks the midnights after the start up to the end', () => {
    expect(history.request(past)).toMatchObject({
      path: '/coins/bitcoin/market_chart/range',
      query: {
        from: '1788220801',
        to: '1788480001',
        interval: 'daily',
        vs_currency: 'usd',
        precision: 'full',
      },
    })
  })

  it('makes a midnight the close of the day before; cap and volume by their times', () => {
    const { records, missing } = map(history, chart, past)
    expect(records.map(r => [toIso(r.observedAt), r.price, r.marketCap, r.volume24h])).toEqual([
      ['2026-09-01T23:59:59.999Z', '77432.10', '1552000000002.5', '28000000002.5'],
      ['2026-09-02T23:59:59.999Z', '78010.75', undefined, '28000000003.5'],
    ])
    expect(missing[0]?.reason).toBe('1 of 6 points have no price; 2026-09-03: no price')
  })
})

describe('CoinGecko catalog', () => {
  const { catalog } = coingecko
  it('searches by symbol, else asks the whole list', () => {
    expect(catalog?.request('BTC')).toMatchObject({ path: '/search', query: { query: 'BTC' } })
    expect(catalog?.request().path).toBe('/coins/list')
  })

  it('reads both shapes; namesakes stay apart, a row that can not be read is none', () => {
    const found =
      '{"coins":[{"id":"bitcoin","name":"Bitcoin","symbol":"BTC","market_cap_rank":1},{"id":"bitty","name":"Bitty","symbol":"BTC","market_cap_rank":null},{"id":"a b","symbol":"X"},{"id":"x"},3]}'
    expect(catalog?.read(bytes(found))).toEqual([
      { sourceId: 'bitcoin', symbol: 'BTC', name: 'Bitcoin', rank: 1, isActive: true },
      { sourceId: 'bitty', symbol: 'BTC', name: 'Bitty', isActive: true },
    ])
    expect(catalog?.read(bytes('[{"id":"bitcoin","symbol":"btc","name":"Bitcoin"}]'))).toEqual([
      { sourceId: 'bitcoin', symbol: 'BTC', name: 'Bitcoin', isActive: true },
    ])
    for (const text of ['{}', '"x"', '{"coins":null}', '<html>'])
      expect(() => catalog?.read(bytes(text)), text).toThrow()
  })
})
