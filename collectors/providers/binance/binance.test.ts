import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AssetId, Credits } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { knownAssetRefs } from '../../assets.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import { splitPair } from './assets.ts'
import { binance } from './index.ts'

const read = (file: string): string => readFileSync(join(import.meta.dirname, 'fixtures', file)).toString()
const [tickers, candles, info] = ['ticker-24hr', 'klines', 'exchange-info'].map(n =>
  read(`${n}-2026-10.json`),
)
if (!tickers || !candles || !info) throw new Error('a fixture is empty')
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string, options = {}) => parseBody(binance, bytes(text), { receivedAt, ...options })
const openContext = {
  ...{
    provider: binance.id,
    dataset: 'quotes',
    page: { assets: [], currency: 'USDT' },
    origin: 'live' as const,
  },
  ...{ runId: 'r', receivedAt, revision: 0, credits: Credits(0), rawRef: 'x' },
}
const refs = knownAssetRefs(binance)
const bitcoin = refs.filter(ref => ref.asset === 'bitcoin')
const range = { from: parseIso('2026-10-02T00:00:00Z'), to: parseIso('2026-10-06T00:00:00Z') }

providerContract({
  provider: binance,
  body: tickers,
  prices: { BTCUSDT: '81240.11000000', DOGEUSDT: '0.10022000' },
  times: { BTCUSDT: '2026-10-05T08:31:09.017Z', DOGEUSDT: '2026-10-05T08:31:08.501Z' },
})

providerContract({
  provider: binance,
  dataset: 'history',
  page: { assets: bitcoin, currency: 'USDT', range },
  body: candles,
  prices: {
    'BTCUSDT@2026-10-02T23:59:59.999999Z': '80744.52000000',
    'BTCUSDT@2026-10-03T23:59:59.999999Z': '81900.77000000',
    'BTCUSDT@2026-10-04T23:59:59.999999Z': '81752.45000000',
  },
})

describe('Binance', () => {
  it('takes price, volume in the base asset, change and time; the currency is Tether, never the dollar', () => {
    const parsed = parse(tickers)
    expect('records' in parsed && parsed.records[0]).toMatchObject({
      ...{ asset: 'bitcoin', symbol: 'BTC', sourceId: 'BTCUSDT', currency: 'USDT' },
      ...{ price: '81240.11000000', volume24h: '15349.98110000', change24h: '-0.627' },
      ...{ observedAt: parseIso('2026-10-05T08:31:09.017Z'), observedBy: 'source' },
    })
    expect(binance.currencies).toEqual(['USDT'])
    expect(binance.standIn).toEqual({ USD: 'USDT' })
  })

  it('asks at most 20 pairs by 24hr, which weighs 2', () => {
    const [quotes] = binance.datasets
    expect(quotes?.pageSize).toBe(20)
    expect(quotes?.request({ assets: refs.slice(0, 2), currency: 'USDT' })).toMatchObject({
      path: '/api/v3/ticker/24hr',
      query: { symbols: '["BTCUSDT","ETHUSDT"]' },
    })
  })

  it.each([
    ['BTCUSDT', 'BTC', 'USDT'],
    ['BTCFDUSD', 'BTC', 'FDUSD'],
    ['ETHBTC', 'ETH', 'BTC'],
    ['BTCEUR', 'BTC', 'EUR'],
  ])('reads the pair %s as %s in %s', (pair, base, currency) => {
    expect(splitPair(pair)).toEqual({ base, currency })
  })

  it.each(['FDUSDUSDT', 'BTCAEUR', 'WIFBTC', 'BTC', 'EUR', 'BTCXXX'])('reads nothing from %s', pair => {
    expect(splitPair(pair)).toBeUndefined()
  })

  it('names a pair that nobody asked for by itself, and guesses no currency', () => {
    const parsed = parse(tickers.replace('BTCUSDT', 'BTCAEUR').replace('DOGEUSDT', 'DOGEBTC'))
    expect('records' in parsed && parsed.records.map(r => [r.asset, r.currency])).toEqual([
      ['binance:DOGEBTC', 'BTC'],
    ])
    expect('missing' in parsed && parsed.missing).toEqual([
      {
        asset: 'binance:BTCAEUR',
        sourceId: 'BTCAEUR',
        reason: 'nothing tells the currency of BTCAEUR',
      },
    ])
  })

  it.each([
    // Named by hand: nobody says what its base is.
    ['binance:WIFUSDT', 'WIFUSDT', 'WIFUSDT', undefined],
    // Added to the table, with its symbol.
    ['dogwifhat', 'WIF', 'WIFUSDT', 'USDT'],
    ['dogwifhat', 'WIF', 'WIFAEUR', undefined],
    ['dogwifhat', 'WIF', 'WIF', undefined],
  ])('takes the price of the asked %s (%s, %s) in %s', (asset, symbol, sourceId, currency) => {
    const page = { assets: [{ asset: AssetId(asset), symbol, sourceId }], currency: 'USDT' }
    const body = bytes(tickers.replace('BTCUSDT', sourceId))
    const { records, missing } = binance.datasets[0]!.map(body, { ...openContext, page })
    expect(records.map(r => r.currency)).toEqual(currency === undefined ? [] : [currency])
    expect(missing.map(m => m.sourceId)).toEqual(currency === undefined ? [sourceId] : [])
  })

  it('takes no price from a row with two names', () => {
    const parsed = parse(tickers.replace('"symbol":"BTCUSDT"', '"symbol":"BTCUSDT","symbol":"ETHUSDT"'))
    expect('records' in parsed && parsed.records.map(r => r.sourceId)).toEqual(['DOGEUSDT'])
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/each name once/)
  })

  it('has no price from a market that closed long ago, and no time to come', () => {
    const late = tickers.replace('"closeTime":1791189069017', '"closeTime":1791289069017')
    const parsed = parse(late)
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/closeTime/)
  })
})

describe('candles of Binance', () => {
  const history = binance.datasets.find(d => d.id === 'history')
  if (!history) throw new Error('no history')
  const context = {
    ...{ provider: binance.id, dataset: 'history', page: { assets: bitcoin, currency: 'USDT', range } },
    ...{ origin: 'backfill', runId: 'r', receivedAt, revision: 0, credits: 0, rawRef: 'x' },
  } as unknown as Parameters<typeof history.map>[1]

  it('asks for whole days, the first by its beginning', () => {
    const noon = { from: parseIso('2026-10-02T12:00:00Z'), to: parseIso('2026-10-05T00:00:00Z') }
    expect(history.request({ assets: bitcoin, currency: 'USDT', range: noon }).query).toEqual({
      ...{ symbol: 'BTCUSDT', interval: '1d', startTime: '1790899200000', endTime: '1791158399999' },
      limit: '1000',
    })
  })

  it('leaves out the day that is not over, and says nothing of it', () => {
    const { records, missing } = history.map(bytes(candles), context)
    expect(records.map(r => [toIso(r.observedAt), r.price, r.volume24h, r.currency])).toEqual([
      ['2026-10-02T23:59:59.999Z', '80744.52000000', '11230.55120000', 'USDT'],
      ['2026-10-03T23:59:59.999Z', '81900.77000000', '14002.90030000', 'USDT'],
      ['2026-10-04T23:59:59.999Z', '81752.45000000', '12999.00120000', 'USDT'],
    ])
    expect(missing).toEqual([])
    expect(new Set(records.map(r => r.observedAt % 86_400_000_000))).toEqual(new Set([86_399_999_999]))
  })

  it.each([
    ['a value less', '[1790899200000,"1","2","3","4","5",1790985599999,"6",7,"8","9"]'],
    ['a value more', '[1790899200000,"1","2","3","4","5",1790985599999,"6",7,"8","9","0","1"]'],
    ['another width', '[1790899200000,"1","2","3","4","5",1790902799999,"6",7,"8","9","0"]'],
    ['another beginning', '[1790899200001,"1","2","3","4","5",1790985600000,"6",7,"8","9","0"]'],
    ['no price', '[1790899200000,"1","2","3","0.00000000","5",1790985599999,"6",7,"8","9","0"]'],
    ['an object', '{"close":"4"}'],
  ])('takes no price from a candle with %s', (_, row) => {
    const good = '[1790985600000,"1","2","3","4.5","5",1791071999999,"6",7,"8","9","0"]'
    const { records, missing } = history.map(bytes(`[${row},${good}]`), context)
    expect(records.map(r => r.price)).toEqual(['4.5'])
    expect(missing[0]?.reason).toMatch(/^1 of 2 points could not be read: \$\[0\]/)
    expect(() => history.map(bytes(`[${row}]`), context)).toThrow(/\$\[0\]/)
  })

  it('takes none where the page asks for another currency than the pair has', () => {
    const page = { assets: bitcoin, currency: 'USD', range }
    expect(() => history.map(bytes(candles), { ...context, page })).toThrow(/not in USD/)
  })
})

describe('the list of pairs of Binance', () => {
  const { catalog } = binance
  if (!catalog) throw new Error('no catalog')
  const answer = (text: string, status = 200) => ({ status, headers: {}, body: bytes(text), receivedAt })

  it('names pair, base and currency, and says which are traded', () => {
    expect(catalog.judge(answer(info))).toMatchObject({ kind: 'answered' })
    expect(catalog.read(bytes(info)).map(e => [e.sourceId, e.symbol, e.currency, e.isActive])).toEqual([
      ['BTCUSDT', 'BTC', 'USDT', true],
      ['LUNAUSDT', 'LUNA', 'USDT', false],
      ['ETHBTC', 'ETH', 'BTC', true],
    ])
  })

  it('asks for one pair by a symbol; a pair that there is not is an empty list', () => {
    expect(catalog.request('sol').query).toMatchObject({ symbol: 'SOLUSDT' })
    const none = '{"code":-1121,"msg":"Invalid symbol."}'
    expect(catalog.judge(answer(none, 400))).toMatchObject({ kind: 'answered' })
    expect(catalog.read(bytes(none))).toEqual([])
    expect(catalog.judge(answer('{"code":-1100,"msg":"no"}', 400))).toMatchObject({ outcome: 'bad-request' })
    expect(catalog.judge(answer(none))).toMatchObject({ kind: 'refused' })
  })

  it('proposes nothing from a row whose names do not fit together', () => {
    const torn = info.replace('"baseAsset":"BTC"', '"baseAsset":"BTCX"').replace('"ETHBTC"', '"ETH/BTC"')
    expect(catalog.read(bytes(torn)).map(e => e.sourceId)).toEqual(['LUNAUSDT'])
    expect(() => catalog.read(bytes('{"symbols":{}}'))).toThrow(/\$\.symbols/)
  })
})
