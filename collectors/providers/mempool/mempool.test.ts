import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AssetId } from '../../../core/brands.ts'
import { addMs, parseIso } from '../../../core/time.ts'
import { assetRef } from '../../assets.ts'
import { type ParsedBody, parseBody, type ParseOptions } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import type { HttpAnswer } from '../../provider.ts'
import { mempool } from './index.ts'

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')
const prices = fixture('prices')
const historical = fixture('historical-price')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string, options: Partial<ParseOptions> = {}): ParsedBody =>
  parseBody(mempool, bytes(text), { receivedAt, ...options })
function pricesOf(parsed: ParsedBody) {
  if ('outcome' in parsed) throw new Error(`${parsed.outcome}: ${parsed.reason}`)
  return parsed.records.map(r => [r.currency, r.price])
}
const reasonOf = (parsed: ParsedBody) => ('missing' in parsed ? parsed.missing[0]?.reason : undefined)
const bitcoin = assetRef(mempool, AssetId('bitcoin'))
const day = { from: parseIso('2026-10-04T00:00:00Z'), to: parseIso('2026-10-05T00:00:00Z') }

providerContract({
  provider: mempool,
  body: prices,
  prices: { BTC: '81240' },
  times: { BTC: '2026-10-05T08:30:01.000Z' },
})
providerContract({
  provider: mempool,
  dataset: 'history',
  page: { assets: [bitcoin], currency: 'EUR', range: day },
  body: historical,
  prices: { BTC: '69410' },
  times: { BTC: '2026-10-04T23:00:00.000Z' },
})

describe('mempool.space', () => {
  it.each([
    ['USD', '81240'],
    ['EUR', '70095'],
    ['GBP', '61012'],
    ['CAD', '112970'],
    ['CHF', '65801'],
    ['AUD', '125903'],
    ['JPY', '12309110'],
  ])('gives the price in %s with the time of the source', (currency, price) => {
    const parsed = parse(prices, { currency })
    expect('records' in parsed && parsed.records).toMatchObject([
      {
        ...{ asset: 'bitcoin', symbol: 'BTC', sourceId: 'BTC', currency, price },
        ...{ observedAt: parseIso('2026-10-05T08:30:01Z'), observedBy: 'source' },
      },
    ])
  })

  it('keeps the digits of a price that is not whole', () => {
    expect(pricesOf(parse(prices.replace('81240', '81240.50')))).toEqual([['USD', '81240.50']])
  })

  it.each(['-1', '0', 'null'])(
    'calls a price of %s unknown: the server sends it before it knows one',
    none => {
      const parsed = parse(prices.replace('81240', none))
      expect(pricesOf(parsed)).toEqual([])
      expect(reasonOf(parsed)).toBe('mempool.space knows no price in USD')
    },
  )

  it('knows no price in a currency that the answer lacks', () => {
    expect(reasonOf(parse(prices.replace('"USD"', '"XXX"')))).toBe('mempool.space knows no price in USD')
    expect(reasonOf(parse(prices, { currency: 'SEK' }))).toBe('mempool.space knows no price in SEK')
  })

  it.each(['-2', '"81,240"', '1e400', '{}', '""'])('refuses a price of %s', bad => {
    expect(parse(prices.replace('81240', bad))).toMatchObject({
      outcome: 'payload-invalid',
      reason: expect.stringMatching(/^\$\.USD: wanted/),
    })
  })

  it.each(['0', '1791189001000', '1791199999', 'null'])('refuses a time of %s', bad => {
    expect(parse(prices.replace('1791189001', bad))).toMatchObject({
      outcome: 'payload-invalid',
      reason: expect.stringMatching(/^\$\.time: wanted/),
    })
  })

  it('is as old as the answer where that has no time, and says so', () => {
    const parsed = parse(prices.replace('"time":1791189001,', ''))
    expect('records' in parsed && parsed.records).toMatchObject([
      { price: '81240', observedAt: receivedAt, observedBy: 'receiver' },
    ])
  })

  it('has no price of another asset', () => {
    const run = { runId: 'r', revision: 0, credits: 0 as never, rawRef: 'x', receivedAt }
    const ether = { asset: AssetId('ethereum'), symbol: 'ETH', sourceId: 'ETH' }
    const page = { assets: [ether], currency: 'USD' }
    const context = { provider: mempool.id, dataset: 'quotes', page, origin: 'live', ...run } as const
    expect(mempool.datasets[0]!.map(bytes(prices), context)).toMatchObject({
      records: [],
      missing: [{ asset: 'ethereum', reason: 'not in the answer' }],
    })
  })
})

describe('history of mempool.space', () => {
  const history = mempool.datasets[1]!
  const run = { runId: 'r', revision: 0, credits: 0 as never, rawRef: 'x', receivedAt }
  const mapped = (text: string, currency = 'EUR', range = day) => {
    const page = { assets: [bitcoin], currency, range }
    return history.map(bytes(text), {
      provider: mempool.id,
      dataset: 'history',
      page,
      origin: 'backfill',
      ...run,
    })
  }

  it('asks for the last second of the range in the currency', () => {
    expect(history.request({ assets: [bitcoin], currency: 'EUR', range: day })).toMatchObject({
      path: '/api/v1/historical-price',
      query: { currency: 'EUR', timestamp: String(Date.parse('2026-10-04T23:59:59Z') / 1_000) },
    })
  })

  it('takes the asked currency, never the USD beside it', () => {
    expect(mapped(historical).records).toMatchObject([{ currency: 'EUR', price: '69410' }])
    expect(mapped(historical, 'USD').records).toMatchObject([{ currency: 'USD', price: '80120.5' }])
    expect(mapped(historical, 'GBP')).toMatchObject({
      records: [],
      missing: [{ reason: '1 of 1 points have no price' }],
    })
  })

  it('does not take the price of an earlier week for that of the day', () => {
    const old = historical.replace('1791154800', String(Date.parse('2026-10-01T00:00:00Z') / 1_000))
    expect(mapped(old)).toMatchObject({ records: [], missing: [{ reason: 'no point in the asked range' }] })
  })

  it('does not take the invented row of 2010 for a price, nor a currency that was not known', () => {
    const none = '{"prices":[{"time":1279497600,"EUR":0,"USD":0}],"exchangeRates":{}}'
    const range = { from: parseIso('2010-07-19T00:00:00Z'), to: parseIso('2010-07-20T00:00:00Z') }
    expect(mapped(none, 'EUR', range).records).toEqual([])
    expect(mapped(historical.replace('69410', '-1')).records).toEqual([])
  })

  it.each(['null', '{"prices":null}', '{"prices":{}}', '{"exchangeRates":{}}', '{"prices":[null]}'])(
    'refuses %s',
    text => {
      expect(() => mapped(text)).toThrow(/^\$/)
    },
  )
})

describe('errors of mempool.space', () => {
  const judge = (text: string, status: number, headers: HttpAnswer['headers'] = {}) =>
    mempool.datasets[0]!.judge(
      { status, headers, body: bytes(text), receivedAt },
      { assets: [bitcoin], currency: 'USD' },
    )

  it.each([
    [429, '<html>429 Too Many Requests</html>', 'rate-limited'],
    [500, '{"error":"Failed to get historical prices"}', 'provider-error'],
    [503, '<html>', 'provider-error'],
    [404, 'Not Found', 'bad-request'],
    [400, 'Prices are not available on testnets.', 'bad-request'],
    [403, '<html>', 'unauthorized'],
    [200, '<html>', 'transport-error'],
    [200, 'null', 'transport-error'],
    [200, '{"error":"down"}', 'provider-error'],
  ])('HTTP %i with %s is %s and costs nothing', (status, text, outcome) => {
    expect(judge(text, status)).toMatchObject({
      ...{ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } },
    })
  })

  it('429 pauses for ten minutes, or as long as Retry-After says', () => {
    const at = (headers: HttpAnswer['headers']) => {
      const verdict = judge('slow down', 429, headers)
      return verdict.kind === 'refused' && verdict.retryAt
    }
    expect(at({})).toBe(addMs(receivedAt, 600_000))
    expect(at({ 'retry-after': '30' })).toBe(addMs(receivedAt, 30_000))
    expect(judge('oops', 500)).toMatchObject({ retryAt: null })
  })
})
