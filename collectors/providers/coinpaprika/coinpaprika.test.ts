import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Credits, type EpochMicros } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import type { Dataset, HttpAnswer, Mapped, MappingContext, Page, Verdict } from '../../provider.ts'
import { coinpaprika } from './index.ts'

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', name))
const tickers = read('tickers-2026-10.json')
const historical = read('historical-2026-09.json')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const [quotes, market, global, history] = coinpaprika.datasets as readonly [
  Dataset,
  Dataset,
  Dataset,
  Dataset,
]
const refs = knownAssetRefs(coinpaprika)
const all: Page = { assets: refs, currency: 'USD' }
const bitcoin = refs.filter(ref => ref.asset === 'bitcoin')
const september = { from: parseIso('2026-09-01T00:00:00Z'), to: parseIso('2026-09-04T00:00:00Z') }
const past: Page = { assets: bitcoin, currency: 'USD', range: september }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const contextOf = (dataset: Dataset, page: Page): MappingContext => ({
  ...{ provider: coinpaprika.id, dataset: dataset.id, page, origin: 'live', runId: 'r', receivedAt },
  ...{ revision: 0, credits: Credits(1), rawRef: 'raw' },
})
const map = (dataset: Dataset, body: string | Uint8Array, page: Page): Mapped =>
  dataset.map(typeof body === 'string' ? bytes(body) : body, contextOf(dataset, page))

providerContract({
  provider: coinpaprika,
  body: tickers.toString(),
  prices: {
    'btc-bitcoin': '81240.123456789',
    'doge-dogecoin': '9.614444201187e-12',
    'paxg-pax-gold': '4.05e3',
  },
  times: { 'btc-bitcoin': '2026-10-05T08:24:31Z', 'doge-dogecoin': '2026-10-05T08:24:33Z' },
})
providerContract({
  provider: coinpaprika,
  dataset: 'market',
  page: { assets: bitcoin, currency: 'USD' },
  body: JSON.stringify(JSON.parse(tickers.toString())[0]),
  prices: { 'btc-bitcoin': '81240.123456789' },
})
providerContract({
  provider: coinpaprika,
  dataset: 'global',
  page: { assets: [], currency: 'USD' },
  body: read('global-2026-10.json').toString(),
  prices: {
    'total-market-cap': '2861234567890',
    'total-volume-24h': '118765432109',
    'bitcoin-dominance': '56.93',
    assets: '12345',
  },
  times: { 'total-market-cap': '2026-10-05T08:24:30Z', assets: '2026-10-05T08:24:30Z' },
})
providerContract({
  provider: coinpaprika,
  dataset: 'history',
  page: { ...past, range: { from: september.from, to: parseIso('2026-09-30T00:00:00Z') } },
  body: historical.toString(),
  prices: {
    'btc-bitcoin@2026-09-01T00:00:00Z': '77432.10',
    'btc-bitcoin@2026-09-02T00:00:00Z': '78010.75',
    'btc-bitcoin@2026-09-04T00:00:00Z': '79555.25',
  },
})

describe('CoinPaprika tickers', () => {
  it('asks one coin by its own endpoint, several by the list of all', () => {
    expect(quotes.request({ assets: bitcoin, currency: 'EUR' })).toMatchObject({
      ...{ path: '/v1/tickers/btc-bitcoin', query: { quotes: 'EUR' } },
    })
    expect(quotes.request(all).path).toBe('/v1/tickers')
    expect(market.request({ assets: [], currency: 'USD', top: 5 }).path).toBe('/v1/tickers')
    for (const page of [all, { assets: bitcoin, currency: 'USD' }]) expect(quotes.costMax(page)).toBe(1)
  })

  it('maps only what was asked, by id: digits as sent, 0 unknown, the coin’s own clock', () => {
    const { records, missing } = map(quotes, tickers, all)
    expect(records.map(r => r.asset)).toEqual(['bitcoin', 'dogecoin', 'pax-gold'])
    expect(records[0]).toMatchObject({
      ...{ symbol: 'BTC', sourceId: 'btc-bitcoin', currency: 'USD', price: '81240.123456789' },
      ...{ marketCap: '1628953268410', volume24h: '31876543210.987', change24h: '0.71' },
      ...{ observedAt: parseIso('2026-10-05T08:24:31Z'), observedBy: 'source' },
    })
    expect(records[0]).not.toHaveProperty('supply')
    expect(records[1]).toMatchObject({ volume24h: '0', change24h: '-1.5e-1' })
    expect(records[1]).not.toHaveProperty('marketCap')
    expect(missing.find(m => m.asset === 'xrp')?.reason).toBe('the price in USD is unknown')
    expect(missing.find(m => m.asset === 'solana')?.reason).toBe('not in the answer')
    expect(records.length + missing.length).toBe(refs.length)
  })

  it('takes one object for the coin it names, and for no other', () => {
    const one = JSON.stringify(JSON.parse(tickers.toString())[0])
    expect(map(quotes, one, { assets: bitcoin, currency: 'USD' }).records).toHaveLength(1)
    const other = map(quotes, one, { assets: refs.filter(r => r.asset === 'xrp'), currency: 'USD' })
    expect([other.records, other.missing.map(m => m.asset)]).toEqual([[], ['xrp']])
  })

  it('has no price where the currency is not in the answer', () => {
    const { records, missing } = map(quotes, tickers, { ...all, currency: 'EUR' })
    expect(records).toEqual([])
    expect(missing[0]?.reason).toBe('no quote in EUR')
  })

  it('takes a price of 0 for unknown', () => {
    const body = '[{"id":"btc-bitcoin","quotes":{"USD":{"price":0}}}]'
    expect(map(quotes, body, all).missing[0]?.reason).toBe('the price in USD is unknown')
  })

  it('keeps a clock that is absent apart from one that is wrong', () => {
    const coin = (more: string): string => `[{"id":"btc-bitcoin"${more},"quotes":{"USD":{"price":2}}}]`
    expect(map(quotes, coin(''), all).records[0]).toMatchObject({ observedBy: 'receiver' })
    for (const wrong of ['"yesterday"', '1759653071', '"2036-10-05T08:24:31Z"'])
      expect(() => map(quotes, coin(`,"last_updated":${wrong}`), all), wrong).toThrow('$[0].last_updated')
  })

  it('gives the largest by rank, whatever their order; one without a rank is none of them', () => {
    const page = { assets: [], currency: 'USD', top: 4 }
    const unranked = tickers.toString().replace('"rank":8', '"rank":0')
    const { records } = map(market, unranked, page)
    expect(records.map(r => [r.asset, r.symbol, r.sourceId])).toEqual([
      ['bitcoin', 'BTC', 'btc-bitcoin'],
      ['coinpaprika:btc-bridged-test-coin', 'BTC', 'btc-bridged-test-coin'],
      ['pax-gold', 'PAXG', 'paxg-pax-gold'],
    ])
    expect(map(market, tickers, { ...page, top: 1 }).records).toHaveLength(1)
  })

  it('reads a saved body by itself', () => {
    const parsed = parseBody(coinpaprika, tickers, { receivedAt })
    expect('records' in parsed && parsed.records).toHaveLength(4)
  })
})

describe('CoinPaprika history', () => {
  it('asks one coin and whole seconds', () => {
    expect(history.request(past)).toMatchObject({
      path: '/v1/tickers/btc-bitcoin/historical',
      query: { start: '1788220800', end: '1788479999', interval: '1d', quote: 'usd' },
    })
  })

  it('keeps the points of the range at their own times, and tells the one without a price', () => {
    const { records, missing } = map(history, historical, past)
    expect(records.map(r => [toIso(r.observedAt), r.price, r.volume24h, r.marketCap])).toEqual([
      ['2026-09-01T00:00:00.000Z', '77432.10', '28000000002', '1552000000002'],
      ['2026-09-02T00:00:00.000Z', '78010.75', '28000000003', undefined],
    ])
    expect(missing[0]).toMatchObject({
      asset: 'bitcoin',
      reason: '1 of 5 points have no price; 2026-09-03: no price',
    })
  })

  it('never takes a price in dollars for one in another currency', () => {
    expect(() => map(history, historical, { ...past, currency: 'EUR' })).toThrow('USD or BTC, not EUR')
    expect(map(history, historical, { ...past, currency: 'BTC' }).records[0]?.currency).toBe('BTC')
  })
})

describe('CoinPaprika global', () => {
  const body = (members: object): string =>
    JSON.stringify({ cryptocurrencies_number: 12_345, last_updated: 1_791_188_400, ...members })
  const figures = (text: string): unknown =>
    map(global, text, { assets: [], currency: 'EUR' }).metrics?.map(m => [m.name, m.currency, m.value])

  it('names the dollars of the body, whatever the page asks for', () => {
    const members = { market_cap_usd: 2.9e12, volume_24h_usd: 1, bitcoin_dominance_percentage: 57.01 }
    expect(figures(body(members))).toEqual([
      ['total-market-cap', 'USD', '2900000000000'],
      ['total-volume-24h', 'USD', '1'],
      ['bitcoin-dominance', undefined, '57.01'],
      ['assets', undefined, '12345'],
    ])
  })

  it('takes 0 for unknown and drops what is no figure', () => {
    const members = { market_cap_usd: 0, volume_24h_usd: '1,000', bitcoin_dominance_percentage: null }
    expect(figures(body(members))).toEqual([['assets', undefined, '12345']])
    expect(() => figures(body({ cryptocurrencies_number: 1.5 }))).toThrow('$: wanted figures of the market')
    for (const text of ['[]', '{}', '""']) expect(() => figures(text)).toThrow('$')
    expect(() => figures(body({ last_updated: 'now' }))).toThrow('$.last_updated')
  })
})

describe('CoinPaprika errors', () => {
  const judge = (
    status: number,
    text: string,
    page: Page = all,
    headers: HttpAnswer['headers'] = {},
  ): Verdict => quotes.judge({ status, headers, body: bytes(text), receivedAt }, page)
  const shown = (verdict: Verdict): unknown => {
    if (verdict.kind === 'answered') return verdict
    const at: EpochMicros | null = verdict.retryAt
    return [verdict.outcome, at === null ? null : toIso(at)]
  }
  const midnight = '2026-10-06T00:00:00.000Z'

  it.each([
    [404, '{"error":"id not found"}', all, ['bad-request', null]],
    [400, '{"error":"invalid parameters"}', all, ['bad-request', null]],
    [403, '{"error":"invalid API key"}', all, ['unauthorized', null]],
    [402, '{"error":"monthly calls limit exceeded"}', all, ['quota-exhausted', midnight]],
    [402, '{"error":"monthly calls limit exceeded"}', past, ['quota-exhausted', midnight]],
    [
      402,
      '{"error":"getting historical data before 2025-10-05T08:31:13Z is not allowed in this plan"}',
      past,
      ['unauthorized', null],
    ],
    [402, '{"error":"this endpoint requires a paid plan"}', all, ['unauthorized', null]],
    [402, 'Payment Required', all, ['quota-exhausted', midnight]],
    [402, '', past, ['unauthorized', null]],
    [402, '{"error":"free plan limit reached"}', all, ['quota-exhausted', midnight]],
    [429, '{"error":"too many requests"}', all, ['rate-limited', '2026-10-05T08:32:13.000Z']],
    [429, '<html>Too Many Requests</html>', all, ['rate-limited', '2026-10-05T08:32:13.000Z']],
    [500, '{"error":"internal server error"}', all, ['provider-error', null]],
    [503, '<html>', all, ['provider-error', null]],
    [200, '<html>maintenance</html>', all, ['transport-error', null]],
    [200, '{"error":"something"}', all, ['provider-error', null]],
    [200, '"text"', all, ['transport-error', null]],
  ] as const)('HTTP %i %s', (status, text, page, wanted) => {
    expect(shown(judge(status, text, page))).toEqual(wanted)
  })

  it('charges one call for an answer, nothing for 4xx, the full cost for the rest', () => {
    expect(judge(200, tickers.toString())).toEqual({
      kind: 'answered',
      charge: { kind: 'known', credits: 1 },
    })
    expect(judge(402, '').charge).toEqual({ kind: 'known', credits: 0 })
    expect(judge(500, '').charge).toEqual({ kind: 'unknown' })
    expect(judge(200, '<html>').charge).toEqual({ kind: 'unknown' })
  })

  it('goes by Retry-After where there is one', () => {
    const verdict = judge(429, '{"error":"too many requests"}', all, { 'retry-after': '7' })
    expect(shown(verdict)).toEqual(['rate-limited', '2026-10-05T08:31:20.000Z'])
  })
})

describe('CoinPaprika catalog', () => {
  const { catalog } = coinpaprika
  it('asks the small search for a symbol, the whole list without one', () => {
    expect(catalog?.request('BTC')).toMatchObject({
      path: '/v1/search',
      query: { q: 'BTC', c: 'currencies' },
    })
    expect(catalog?.request().path).toBe('/v1/coins')
  })

  it('reads both shapes; namesakes stay apart, a row without an id is none', () => {
    const rows =
      '[{"id":"btc-bitcoin","name":"Bitcoin","symbol":"BTC","rank":1,"is_active":true},' +
      '{"id":"btc-bitty-cents","name":"Bitty","symbol":"BTC","rank":0,"is_active":false},{"symbol":"BTC"},7,' +
      '{"id":"a b","symbol":"BTC"},{"id":"x-y","symbol":""}]'
    const wanted = [
      { sourceId: 'btc-bitcoin', symbol: 'BTC', name: 'Bitcoin', rank: 1, isActive: true },
      { sourceId: 'btc-bitty-cents', symbol: 'BTC', name: 'Bitty', isActive: false },
    ]
    expect(catalog?.read(bytes(rows))).toEqual(wanted)
    expect(catalog?.read(bytes(`{"currencies":${rows}}`))).toEqual(wanted)
    for (const text of ['{}', '"x"', '{"currencies":null}', '<html>'])
      expect(() => catalog?.read(bytes(text)), text).toThrow()
  })
})

const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: a real CoinPaprika body is not read; set CRYPTOS_CAPTURES')

describe.skipIf(!captures)('a real answer, values read by hand', () => {
  it('global.json of April 2018', () => {
    const body = readFileSync(join(captures ?? '', 'coinpaprika', 'global.json'))
    const { metrics } = map(global, body, { assets: [], currency: 'USD' })
    const at = parseIso('2018-04-30T11:57:21Z')
    expect(metrics?.map(m => [m.name, m.currency, m.value, m.observedAt, m.observedBy])).toEqual([
      ['total-market-cap', 'USD', '430252937008', at, 'source'],
      ['total-volume-24h', 'USD', '28617461936', at, 'source'],
      ['bitcoin-dominance', undefined, '36.67', at, 'source'],
      ['assets', undefined, '1587', at, 'source'],
    ])
    expect(
      global.judge({ status: 200, headers: {}, body, receivedAt }, { assets: [], currency: 'USD' }).kind,
    ).toBe('answered')
  })
})
