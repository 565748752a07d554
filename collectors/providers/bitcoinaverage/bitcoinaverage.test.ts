import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../../../core/brands.ts'
import { addMs, DAY, parseIso, toIso } from '../../../core/time.ts'
import { assetRef } from '../../assets.ts'
import { type ParsedBody, parseBody, type ParseOptions } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import type { HttpAnswer } from '../../provider.ts'
import { bitcoinaverage } from './index.ts'

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')
const short = fixture('ticker-short')
const all = fixture('ticker-all')
const single = fixture('ticker-btcusd-2018')
const history = fixture('history-alltime')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: a real body of BitcoinAverage; set CRYPTOS_CAPTURES')

const parse = (text: string, options: Partial<ParseOptions> = {}): ParsedBody =>
  parseBody(bitcoinaverage, bytes(text), { receivedAt, ...options })
function records(parsed: ParsedBody) {
  if ('outcome' in parsed) throw new Error(`${parsed.outcome}: ${parsed.reason}`)
  return parsed.records
}
const pricesOf = (parsed: ParsedBody) => records(parsed).map(r => [r.sourceId, r.currency, r.price])
const bitcoin = assetRef(bitcoinaverage, AssetId('bitcoin'))
const range = { from: parseIso('2026-10-03T00:00:00Z'), to: parseIso('2026-10-05T00:00:00Z') }

providerContract({
  provider: bitcoinaverage,
  body: short,
  prices: { BTC: '81240.10', ETH: '3011.5', LTC: '93.05', BCH: '488.0', XRP: '2.21034567890123456789' },
  times: { LTC: '2026-10-05T08:30:00.000Z', BCH: '2026-10-05T08:31:00.000Z' },
})
providerContract({
  provider: bitcoinaverage,
  dataset: 'ticker',
  body: all,
  prices: { BTC: '81240.10', ETH: '3011.5', LTC: '93.05' },
  times: { BTC: '2026-10-05T08:31:00.000Z', LTC: '2026-10-05T08:30:00.000Z' },
  key: 'contract-key-3141592653:contract-secret-2718281828',
})
providerContract({
  provider: bitcoinaverage,
  dataset: 'history',
  page: { assets: [bitcoin], currency: 'USD', range },
  body: history,
  prices: { 'BTC@2026-10-04T23:59:59.999999Z': '80120.50', 'BTC@2026-10-03T23:59:59.999999Z': '79010.07' },
})

describe('tickers of BitcoinAverage', () => {
  it('give price, volume and change of the asked currency, with the time of the source', () => {
    const [btc] = records(parse(all, { dataset: 'ticker' }))
    expect(btc).toMatchObject({
      ...{ asset: 'bitcoin', symbol: 'BTC', sourceId: 'BTC', currency: 'USD', price: '81240.10' },
      ...{ volume24h: '41877.05413403', change24h: '-0.09', observedBy: 'source' },
      observedAt: parseIso('2026-10-05T08:31:00Z'),
    })
  })

  it('never take a pair of another currency', () => {
    expect(pricesOf(parse(short, { currency: 'EUR' }))).toEqual([['BTC', 'EUR', '70095.55']])
    expect(parse(short, { currency: 'GBP' })).toMatchObject({ records: [] })
    expect(pricesOf(parse(short)).every(([, currency]) => currency === 'USD')).toBe(true)
  })

  it('name a pair that nobody asked for by its base', () => {
    const parsed = parse('{"ZECUSD":{"last":31.5,"timestamp":1791189060}}')
    expect(records(parsed)[0]).toMatchObject({ asset: 'bitcoinaverage:ZEC', symbol: 'ZEC', price: '31.5' })
  })

  it('take a row whose label is of another pair for none', () => {
    const parsed = parse(all.replace('"BTC-USD"', '"BTC-EUR"'), { dataset: 'ticker' })
    expect(pricesOf(parsed).map(([id]) => id)).toEqual(['ETH', 'LTC'])
    expect('missing' in parsed && parsed.missing).toMatchObject([
      { asset: 'bitcoin', reason: '$.BTCUSD.display_symbol: wanted BTC-USD, got the text "BTC-EUR"' },
    ])
  })

  it.each(['""', 'null'])('call a price of %s unknown, beside good neighbours', none => {
    const parsed = parse(short.replace('81240.10', none))
    expect(pricesOf(parsed)).toHaveLength(4)
    expect('missing' in parsed && parsed.missing).toEqual([
      { asset: 'bitcoin', sourceId: 'BTC', reason: 'BitcoinAverage has no price of BTCUSD' },
    ])
  })

  it.each(['0', '-1', '"1,234.50"', '1e400', '{}'])('refuse a price of %s', bad => {
    const parsed = parse(short.replace('81240.10', bad))
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/^\$\.BTCUSD\.last: wanted/)
  })

  it('leave figures out that are empty texts, and keep a volume of 0', () => {
    const [, eth, ltc] = records(parse(all, { dataset: 'ticker' }))
    expect(eth).toMatchObject({ volume24h: '311877.5', change24h: '1.25' })
    expect(ltc).toMatchObject({ volume24h: '0' })
    expect(ltc).not.toHaveProperty('change24h')
  })

  it('have no time where the two clocks of a row disagree', () => {
    const parsed = parse(all.replace('"2026-10-05 08:31:00"', '"2026-10-05 07:31:00"'), { dataset: 'ticker' })
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/wanted the time of timestamp/)
  })

  it.each([
    ['"timestamp":"Mon, 05 Oct 2026 08:31:00 -0000"', '2026-10-05T08:31:00.000Z'],
    ['"timestamp":"1791189060"', '2026-10-05T08:31:00.000Z'],
    ['"display_timestamp":"2026-10-05 08:29:00"', '2026-10-05T08:29:00.000Z'],
    ['"timestamp":"2026-10-05 08:29:00"', '2026-10-05T08:29:00.000Z'],
  ])('read %s', (member, iso) => {
    const [record] = records(parse(`{"BTCUSD":{"last":2,${member}}}`))
    expect(record && toIso(record.observedAt)).toBe(iso)
  })

  it.each([
    '"timestamp":"Mon, 05 Oct 2026 08:31:00 +0200"',
    '"timestamp":1791189060000',
    '"timestamp":1791199999',
    '"timestamp":""',
    '"timestamp":null',
    '"volume":1',
  ])('refuse a row with %s: a price without a time is none', member => {
    expect(parse(`{"BTCUSD":{"last":2,${member}}}`)).toMatchObject({ outcome: 'payload-invalid' })
  })
})

describe('a single ticker', () => {
  it('is of the asset that somebody names for a saved body', () => {
    expect(pricesOf(parse(single, { dataset: 'ticker', asset: 'bitcoin' }))).toEqual([
      ['BTC', 'USD', '6711.4'],
    ])
    expect(parse(single, { dataset: 'ticker' })).toMatchObject({ outcome: 'payload-invalid' })
  })

  it('without a label is no answer to a call of ours', () => {
    const run = { runId: 'r', revision: 0, credits: 1 as never, rawRef: 'x', receivedAt }
    const page = { assets: [bitcoin], currency: 'USD' }
    const context = { provider: bitcoinaverage.id, dataset: 'ticker', page, origin: 'live', ...run } as const
    expect(() => bitcoinaverage.datasets[1]!.map(bytes(single), context)).toThrow(/display_symbol/)
    const labelled = single.replace('"display_timestamp"', '"display_symbol":"BTC-USD","display_timestamp"')
    expect(bitcoinaverage.datasets[1]!.map(bytes(labelled), context).records[0]?.price).toBe('6711.4')
  })

  it('that says its pair needs nobody to name it, and is of no other', () => {
    const labelled = single.replace('"display_timestamp"', '"display_symbol":"ETH-USD","display_timestamp"')
    expect(pricesOf(parse(labelled))).toEqual([['ETH', 'USD', '6711.4']])
    expect(parse(labelled, { asset: 'bitcoin' })).toMatchObject({ outcome: 'payload-invalid' })
    expect(parse(labelled, { currency: 'EUR' })).toMatchObject({ outcome: 'payload-invalid' })
  })

  it.skipIf(!captures)('of 2018, as it was recorded', () => {
    const file = join(captures ?? '', 'bitcoinaverage', 'apiv2_ticker_btcusd_2018.json')
    const body = readFileSync(file, 'utf8')
    expect(records(parse(body, { dataset: 'ticker', asset: 'bitcoin' }))).toMatchObject([
      {
        ...{ asset: 'bitcoin', sourceId: 'BTC', currency: 'USD', price: '6642.88' },
        ...{ volume24h: '52256.05413403', change24h: '-0.08', observedBy: 'source' },
        observedAt: parseIso('2018-10-09T07:50:04Z'),
      },
    ])
  })
})

describe('history of BitcoinAverage', () => {
  const parseHistory = (text: string) => parse(text, { dataset: 'history' })

  it('has the average of each day that is over, observed in its last microsecond', () => {
    expect(records(parseHistory(history)).map(r => [r.observedAt, r.price])).toEqual(
      [
        ['2026-10-04T23:59:59.999999Z', '80120.50'],
        ['2026-10-03T23:59:59.999999Z', '79010.07'],
        ['2026-10-02T23:59:59.999999Z', '77890.33'],
      ].map(([iso, price]) => [parseIso(iso ?? ''), price]),
    )
  })

  it('keeps the time of rows of hours', () => {
    const rows = ['2026-10-04 01:00:00', '2026-10-04 00:00:00'].map(t => `{"time":"${t}","average":5.5}`)
    expect(records(parseHistory(`[${rows.join(',')}]`)).map(r => toIso(r.observedAt))).toEqual([
      '2026-10-04T01:00:00.000Z',
      '2026-10-04T00:00:00.000Z',
    ])
  })

  it('tells the rows that it could not read, beside the rest', () => {
    const parsed = parseHistory(history.replace('79010.07', '"n/a"'))
    expect(records(parsed)).toHaveLength(2)
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/^1 of 3 points .*\$\[2\]\.average/)
    const empty = parseHistory(history.replace('79010.07', '""'))
    expect('missing' in empty && empty.missing[0]?.reason).toMatch(/1 of 3 points have no price/)
  })

  it('refuses rows with other times, and an object', () => {
    for (const time of ['2026-10-04T00:00:00Z', '04.10.2026', '1791189060', '2026-10-07 00:00:00'])
      expect(parseHistory(`[{"time":"${time}","average":5}]`)).toMatchObject({ outcome: 'payload-invalid' })
    expect(parseHistory(short)).toMatchObject({ outcome: 'payload-invalid' })
  })
})

describe('errors of BitcoinAverage', () => {
  const judge = (text: string, status: number, headers: HttpAnswer['headers'] = {}) =>
    bitcoinaverage.datasets[0]!.judge(
      { status, headers, body: bytes(text), receivedAt },
      { assets: [], currency: 'USD' },
    )
  const free = { kind: 'known', credits: 0 }

  it.each([
    [401, 'Unauthenticated requests are not allowed. Take out a new plan', 'unauthorized'],
    [401, '{"message":"Invalid key"}', 'unauthorized'],
    [403, 'Higher level API Keys required', 'unauthorized'],
    [404, 'Symbol not found', 'bad-request'],
    [429, 'Too many requests', 'rate-limited'],
  ])('HTTP %i with %s is %s, free, and quoted', (status, text, outcome) => {
    const verdict = judge(text, status)
    expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: free })
    expect('reason' in verdict && verdict.reason).toContain(text.replace(/^.*:"(.*)"}/, '$1'))
  })

  it('500 costs what nobody knows', () => {
    expect(judge('oops', 500)).toMatchObject({ outcome: 'provider-error', charge: { kind: 'unknown' } })
  })

  it('429 pauses for a quarter of an hour, or as long as Retry-After says', () => {
    const at = (headers: HttpAnswer['headers']) => {
      const verdict = judge('Too many requests', 429, headers)
      return verdict.kind === 'refused' && verdict.retryAt
    }
    expect(at({})).toBe(addMs(receivedAt, 900_000))
    expect(at({ 'retry-after': '3600' })).toBe(addMs(receivedAt, 3_600_000))
  })

  it.each(['message', 'error'])('a %s with HTTP 200 says that the source is closed', name => {
    const text = `{"${name}":"This API is no longer available"}`
    expect(judge(text, 200)).toMatchObject({
      ...{ kind: 'refused', outcome: 'provider-error', retryAt: addMs(receivedAt, DAY) },
      reason: expect.stringMatching(/^the source is closed: .*This API is no longer available$/),
    })
    expect(parse(text)).toMatchObject({ outcome: 'provider-error' })
  })

  it.each([
    ['Unauthenticated requests are not allowed.', 'unauthorized'],
    ['Service temporarily down', 'transport-error'],
    ['<html>We will be back</html>', 'transport-error'],
    ['"a text"', 'transport-error'],
    ['null', 'transport-error'],
  ])('the text %s with HTTP 200 is %s', (text, outcome) => {
    expect(judge(text, 200)).toMatchObject({ kind: 'refused', outcome })
  })

  it('tells how far the clock is off where a signature is refused, and only there', () => {
    const off = (status: number, date: string) => {
      const verdict = judge('no', status, { date })
      return verdict.kind === 'refused' ? verdict.reason.replace(/^[^;]*;?/, '') : ''
    }
    expect(off(403, 'Mon, 05 Oct 2026 08:30:57 GMT')).toMatch(/16 s ahead of the provider's/)
    expect(off(401, 'Mon, 05 Oct 2026 08:31:33 GMT')).toMatch(/20 s behind the provider's/)
    expect(off(403, 'Mon, 05 Oct 2026 08:31:00 GMT')).toBe('')
    expect(off(429, 'Mon, 05 Oct 2026 08:00:00 GMT')).toBe('')
  })

  it('never repeats a key or signature that the server complains of', () => {
    const signature = `1791189060.my-public-key-of-some-length.${'0f'.repeat(32)}`
    for (const text of [`bad signature ${signature}`, `{"message":"bad ${signature}"}`])
      for (const status of [200, 401]) {
        const verdict = judge(text, status)
        const reason = verdict.kind === 'refused' ? verdict.reason : ''
        expect(reason).toContain('***')
        expect(reason).not.toMatch(/my-public-key|0f0f/)
      }
  })
})

describe('usage of BitcoinAverage', () => {
  const read = (text: string) => bitcoinaverage.usage!.read(bytes(text), receivedAt)
  const body = (period: string): string =>
    `{"counter_reset":3600,"total_period":${period},"requests_left":44000,"requests_per_period":45000}`
  const callsPerMinute = bitcoinaverage.keyed!.limits.callsPerMinute

  it.each([
    ['"30d"', '45000 requests in 30d'],
    ['2592000', '45000 requests in 2592000 s'],
  ])('of a period of %s is the month', (period, plan) => {
    expect(read(body(period))).toEqual({
      at: receivedAt,
      limits: { plan, creditsPerMonth: 45_000, creditsPerDay: null, callsPerMinute },
      ...{ monthUsed: 1_000, dayUsed: null, monthResetsAt: EpochMicros(receivedAt + 3_600_000_000) },
    })
  })

  it.each(['"24h"', '"1d"', '"86400"', '3600'])('of a period of %s is the day', period => {
    const { limits, dayUsed, monthResetsAt } = read(body(period))
    expect(limits).toMatchObject({ creditsPerMonth: null, creditsPerDay: 45_000 })
    expect([dayUsed, monthResetsAt]).toEqual([1_000, null])
  })

  it('counts nothing below 0', () => {
    expect(read(body('"30d"').replace('44000', '46000')).monthUsed).toBe(0)
  })

  it.each([
    ['"30d"', '"a year"'],
    ['"30d"', '"366d"'],
    ['"30d"', '0'],
    ['3600', '-1'],
    ['3600', '999999999999999'],
    ['44000', '"many"'],
    ['45000', 'null'],
  ])('refuses %s as %s', (from, to) => {
    expect(() => read(body('"30d"').replace(from, to))).toThrow(/^\$\./)
  })
})
