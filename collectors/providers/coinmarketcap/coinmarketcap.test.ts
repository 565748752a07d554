import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Credits } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import { twinContract } from '../../twin.contract.ts'
import type { HttpAnswer, MappingContext, Verdict } from '../../provider.ts'
import { gatewayError, keyInfo2021, keyInfo2026, shapes } from './fixtures/shapes.ts'
import { coinmarketcap } from './index.ts'

const v3 = readFileSync(join(import.meta.dirname, 'fixtures', 'v3-quotes-2026-10.json'))
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const dataset = coinmarketcap.datasets[0]!
const page = { assets: knownAssetRefs(coinmarketcap), currency: 'USD' }
const context: MappingContext = {
  ...{ provider: coinmarketcap.id, dataset: 'quotes', page, origin: 'live', runId: 'r', receivedAt },
  ...{ revision: 0, credits: Credits(1), rawRef: 'raw' },
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const judge = (text: string, status = 200, headers: HttpAnswer['headers'] = {}): Verdict =>
  dataset.judge({ status, headers, body: bytes(text), receivedAt }, page)
const retryIso = (verdict: Verdict): string | null =>
  verdict.kind === 'refused' && verdict.retryAt !== null ? toIso(verdict.retryAt) : null

providerContract({
  provider: coinmarketcap,
  body: v3.toString(),
  prices: { 1: '81234.567890123456', 74: '9.614444201187e-12', 4705: '1e3' },
})

twinContract({ provider: coinmarketcap })

describe('CoinMarketCap quotes', () => {
  it('maps a v3 answer: digits as sent, the quote clock, zero supply unknown, no neighbour spoiled', () => {
    const { records, missing } = dataset.map(v3, context)
    expect(records.map(r => r.asset)).toEqual(['bitcoin', 'dogecoin', 'pax-gold'])
    expect(records[0]).toMatchObject({
      symbol: 'BTC',
      currency: 'USD',
      price: '81234.567890123456',
      marketCap: '1632101234567.8901',
      volume24h: '3.1e10',
      supply: '20091234',
      change24h: '-0.120',
      observedAt: parseIso('2026-10-05T08:30:02Z'),
      observedBy: 'source',
    })
    expect(records[1]).toMatchObject({ price: '9.614444201187e-12', volume24h: '0' })
    expect(records[1]).not.toHaveProperty('marketCap')
    expect(records[1]).not.toHaveProperty('supply')
    expect(records[2]).toMatchObject({ price: '1e3', supply: '434903.623500' })
    const reasons = new Map(missing.map(m => [m.asset as string, m.reason]))
    expect(reasons.get('ethereum')).toBe('the price in USD is null')
    expect(reasons.get('xrp')).toBe('no quote in USD')
    expect(reasons.get('stellar')).toMatch(/above 0, got the number -0.4/)
    expect(reasons.get('litecoin')).toMatch(/\$\.data\[5\]\.quote\.USD\.price/)
    expect(reasons.get('cardano')).toBe('not in the answer')
  })

  it.each(Object.entries(shapes))('reads the shape %s', (_, body) => {
    const { records } = dataset.map(bytes(body), context)
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({
      asset: 'bitcoin',
      price: '84278.770',
      volume24h: '1E2',
      supply: '19.50',
    })
  })

  it('names a coin that the table does not know by its id, never by its ticker', () => {
    const parsed = parseBody(coinmarketcap, bytes(shapes['v2 by symbol, a list each']!), { receivedAt })
    expect('records' in parsed && parsed.records.map(r => [r.asset, r.symbol, r.price])).toEqual([
      ['bitcoin', 'BTC', '84278.770'],
      ['coinmarketcap:38552', 'BTC', '7'],
    ])
  })

  it('refuses a time to come and one before 2009, for that coin', () => {
    for (const time of ['2026-10-05T08:36:20.000Z', '2008-12-31T00:00:00.000Z', 'yesterday', '']) {
      const body = shapes['v3 list']!.replaceAll('2026-10-05T08:30:02.000Z', time)
      expect(() => dataset.map(bytes(body), context), time).toThrow(/last_updated/)
    }
  })

  it('asks by id, in one currency, one credit for a hundred', () => {
    const request = dataset.request({ assets: page.assets.slice(0, 2), currency: 'USD' })
    expect(request.path).toBe('/v3/cryptocurrency/quotes/latest')
    expect(request.query).toEqual({ id: '1,1027', convert: 'USD' })
    expect(dataset.costMax(page)).toBe(1)
    const many = { assets: Array.from({ length: 101 }, () => page.assets[0]!), currency: 'USD' }
    expect(dataset.costMax(many)).toBe(2)
  })
})

describe('CoinMarketCap errors', () => {
  it.each([
    [1001, 401, 'unauthorized', null],
    [1002, 401, 'unauthorized', null],
    [1003, 402, 'unauthorized', null],
    [1006, 403, 'unauthorized', null],
    [1007, 403, 'unauthorized', null],
    [1008, 429, 'rate-limited', '2026-10-05T08:32:00.000Z'],
    [1009, 429, 'quota-exhausted', null],
    [1010, 429, 'quota-exhausted', null],
    [1011, 429, 'rate-limited', '2026-10-05T08:36:13.000Z'],
    [400, 400, 'bad-request', null],
    [4001, 400, 'bad-request', null],
  ] as const)('code %i with HTTP %i is %s, costs nothing, next try %s', (code, http, outcome, retryAt) => {
    for (const sent of [code, String(code)]) {
      const verdict = judge(gatewayError(sent, 'no'), http)
      expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } })
      expect(retryIso(verdict)).toBe(retryAt)
    }
  })

  it('tells which credits are used up, and guesses no time: the reset of a paid plan is no calendar month', () => {
    expect(judge(gatewayError(1009, 'x'), 429)).toMatchObject({ exhausted: 'day', retryAt: null })
    expect(judge(gatewayError(1010, 'x'), 429)).toMatchObject({ exhausted: 'month', retryAt: null })
    expect(judge(gatewayError(1008, 'x'), 429)).not.toHaveProperty('exhausted')
    const told = judge(gatewayError(1010, 'x'), 429, { 'retry-after': '120' })
    expect(retryIso(told)).toBe('2026-10-05T08:33:13.000Z')
  })

  it('treats an error code with HTTP 200 as a failure', () => {
    expect(judge(gatewayError('500', 'The system is busy'))).toMatchObject({ outcome: 'provider-error' })
    expect(judge(gatewayError(1006, 'plan'))).toMatchObject({ outcome: 'unauthorized' })
    expect(judge(gatewayError(777, 'new'))).toMatchObject({ outcome: 'provider-error' })
    expect(judge('{"data":[]}')).toMatchObject({ outcome: 'transport-error', charge: { kind: 'unknown' } })
  })

  it('keeps the full cost of a 5xx, and of an answer that does not tell its cost', () => {
    expect(judge(gatewayError(500, 'x'), 500)).toMatchObject({ charge: { kind: 'unknown' } })
    expect(judge(shapes['v3 list']!.replace('"credit_count":1', '"a":1'))).toEqual({
      kind: 'answered',
      charge: { kind: 'unknown' },
    })
    expect(judge(shapes['v3 list']!)).toEqual({ kind: 'answered', charge: { kind: 'known', credits: 1 } })
  })

  it('waits longer where Retry-After says so', () => {
    expect(retryIso(judge(gatewayError(1008, 'x'), 429, { 'retry-after': '120' }))).toBe(
      '2026-10-05T08:33:13.000Z',
    )
    expect(retryIso(judge(gatewayError(1008, 'x'), 429, { 'retry-after': '1' }))).toBe(
      '2026-10-05T08:32:00.000Z',
    )
    expect(retryIso(judge('busy', 503, { 'retry-after': '9' }))).toBe('2026-10-05T08:31:22.000Z')
  })
})

describe('CoinMarketCap key/info', () => {
  it('reads the plan of 2026: no daily limit', () => {
    expect(coinmarketcap.usage!.read(bytes(keyInfo2026), receivedAt)).toEqual({
      at: receivedAt,
      limits: {
        plan: '15000 credits a month',
        ...{ creditsPerMonth: 15_000, creditsPerDay: null, callsPerMinute: 50 },
      },
      monthUsed: 412,
      dayUsed: 31,
      monthResetsAt: parseIso('2026-11-01T00:00:00Z'),
    })
  })

  it('reads the plan of 2021: a daily limit, no reset time', () => {
    const usage = coinmarketcap.usage!.read(bytes(keyInfo2021), receivedAt)
    expect(usage.limits).toMatchObject({ creditsPerMonth: 10_000, creditsPerDay: 333, callsPerMinute: 30 })
    expect(usage.monthResetsAt).toBeNull()
  })

  it('refuses another shape with the path', () => {
    const read = (from: string, to: string) => () =>
      coinmarketcap.usage!.read(bytes(keyInfo2026.replace(from, to)), receivedAt)
    expect(read('"credits_used":412', '"credits_used":-1')).toThrow(/current_month\.credits_used/)
    expect(read('"rate_limit_minute":50', '"rate_limit_minute":null')).toThrow(/rate_limit_minute/)
    expect(read('"usage"', '"used"')).toThrow(/\$\.data\.usage/)
  })
})
