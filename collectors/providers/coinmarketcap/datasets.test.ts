import { describe, expect, it } from 'vitest'
import { AssetId, Credits } from '../../../core/brands.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import { assetRef, knownAssetRefs, pagesOf } from '../../assets.ts'
import { providerContract } from '../../provider.contract.ts'
import type { Dataset, MappingContext, Page } from '../../provider.ts'
import { twinContract } from '../../twin.contract.ts'
import { globalMetrics, historicalV2, historicalV3, listings, mapOfBtc } from './fixtures/bodies.ts'
import { coinmarketcap } from './index.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const bitcoin = assetRef(coinmarketcap, AssetId('bitcoin'))
const top: Page = { assets: [], currency: 'USD', top: 4 }
const range = { from: parseIso('2026-10-01T00:00:00Z'), to: parseIso('2026-10-04T00:00:00Z') }
const days: Page = { assets: [bitcoin], currency: 'USD', range }

function datasetOf(id: string): Dataset {
  const found = coinmarketcap.datasets.find(d => d.id === id)
  if (!found) throw new Error(id)
  return found
}
const contextOf = (dataset: string, page: Page): MappingContext => ({
  ...{ provider: coinmarketcap.id, dataset, page, origin: 'live', runId: 'r', receivedAt },
  ...{ revision: 0, credits: Credits(1), rawRef: 'raw' },
})
const mapped = (id: string, page: Page, body: string) => datasetOf(id).map(bytes(body), contextOf(id, page))

providerContract({
  ...{ provider: coinmarketcap, dataset: 'listings', page: top, body: listings },
  prices: { 1: '81234.567890123456', 1027: '3977.1250', 38552: '9.614444201187e-12' },
  times: { 1: '2026-10-05T08:30:02Z', 1027: '2026-10-05T08:30:02Z' },
})

providerContract({
  ...{ provider: coinmarketcap, dataset: 'global', body: globalMetrics },
  prices: {
    'total-market-cap': '2857300112233.4455',
    'total-volume-24h': '121000000000.75',
    'altcoin-market-cap': '1225198877665.25',
    'defi-market-cap': '60999888777.125',
    'stablecoin-market-cap': '290999888777.125',
    'bitcoin-dominance': '57.120483920174',
    'ethereum-dominance': '12.940518273645',
    assets: '9811',
    exchanges: '915',
    markets: '104881',
  },
  times: { 'total-market-cap': '2026-10-05T08:29:59.999Z' },
})

providerContract({
  ...{ provider: coinmarketcap, dataset: 'history', page: days, body: historicalV3 },
  prices: {
    '1@2026-10-01T23:59:59.999Z': '80111.250',
    '1@2026-10-02T23:59:59.999Z': '80222.3750',
    '1@2026-10-03T23:59:59.999Z': '80333.125',
  },
})

twinContract({
  provider: coinmarketcap,
  dataset: 'listings',
  page: { assets: [], currency: 'USD', top: 250 },
  sweeps: 6,
})
twinContract({ provider: coinmarketcap, dataset: 'global', currency: 'EUR', sweeps: 60 })
twinContract({ provider: coinmarketcap, dataset: 'history' })

describe('CoinMarketCap listings', () => {
  it('asks for so many of the largest, at a credit for each 200', () => {
    const listed = datasetOf('listings')
    expect(listed.request(top).query).toEqual({ start: '1', limit: '4', sort: 'market_cap', convert: 'USD' })
    expect([1, 200, 201, 5_000].map(n => listed.costMax({ ...top, top: n }))).toEqual([1, 1, 2, 25])
    expect(listed.costMax({ assets: knownAssetRefs(coinmarketcap), currency: 'USD' })).toBe(1)
  })

  it('names coins by their ids, whatever ticker they have; a null price is missing with the reason', () => {
    const { records, missing } = mapped('listings', top, listings)
    expect(records.map(r => [r.asset, r.symbol, r.marketCap, r.volume24h])).toEqual([
      ['bitcoin', 'BTC', '1632101234567.8901', '31000000000.5'],
      ['ethereum', 'ETH', '480011223344.5', '15000000000.25'],
      ['coinmarketcap:38552', 'BTC', undefined, '0'],
    ])
    expect(missing).toEqual([{ asset: 'dogecoin', sourceId: '74', reason: 'the price in USD is null' }])
  })

  it('of named assets tells those that are not among the largest', () => {
    const [page] = pagesOf(datasetOf('listings'), knownAssetRefs(coinmarketcap), 'USD')
    if (!page) throw new Error('no page')
    const { records, missing } = mapped('listings', page, listings)
    expect(records.map(r => r.asset)).toEqual(['bitcoin', 'ethereum'])
    expect(missing).toHaveLength(12)
  })
})

describe('CoinMarketCap global', () => {
  it('takes amounts from the quote in the asked currency alone', () => {
    const { metrics = [] } = mapped('global', { assets: [], currency: 'USD' }, globalMetrics)
    expect(metrics.find(m => m.name === 'defi-market-cap')).toMatchObject({
      currency: 'USD',
      value: '60999888777.125',
    })
    expect(metrics.find(m => m.name === 'assets')).not.toHaveProperty('currency')
    expect(() => mapped('global', { assets: [], currency: 'EUR' }, globalMetrics)).toThrow(
      /\$\.data\.quote.*EUR/,
    )
  })

  it('leaves out a share beyond 100 per cent, a count with a fraction, a cap of 0', () => {
    const odd = globalMetrics
      .replace('57.120483920174', '571.2')
      .replace('9811', '9811.5')
      .replace('2857300112233.4455', '0')
    const { metrics = [] } = mapped('global', { assets: [], currency: 'USD' }, odd)
    const names = metrics.map(m => m.name)
    expect(names).toHaveLength(7)
    for (const gone of ['bitcoin-dominance', 'assets', 'total-market-cap']) expect(names).not.toContain(gone)
  })
})

describe('CoinMarketCap history', () => {
  it('asks for the closes of the range: the midnight that ends each day', () => {
    expect(datasetOf('history').request(days)).toEqual({
      path: '/v3/cryptocurrency/quotes/historical',
      query: {
        ...{ id: '1', time_start: '2026-10-01T00:00:00.000Z', time_end: '2026-10-04T00:00:00.000Z' },
        ...{ interval: 'daily', count: '3', convert: 'USD' },
      },
      headers: { accept: 'application/json' },
    })
    const wide = { ...days, range: { ...range, from: parseIso('2026-06-26T00:00:00Z') } }
    expect(
      [days, wide, { ...wide, range: { ...wide.range, from: parseIso('2026-06-25T00:00:00Z') } }].map(p =>
        datasetOf('history').costMax(p),
      ),
    ).toEqual([1, 1, 2])
  })

  it('puts a close into its day, with cap and volume of that moment', () => {
    const { records, missing } = mapped('history', days, historicalV3)
    expect(records.map(r => [toIso(r.observedAt), r.observedBy])).toEqual([
      ['2026-10-01T23:59:59.999Z', 'source'],
      ['2026-10-02T23:59:59.999Z', 'source'],
      ['2026-10-03T23:59:59.999Z', 'source'],
    ])
    expect(records[0]).toMatchObject({ marketCap: '1680111.250', volume24h: '380111.250' })
    expect(missing).toEqual([])
  })

  it('reads the shape of v2, and tells the day without a price', () => {
    const { records, missing } = mapped('history', days, historicalV2)
    expect(records.map(r => r.price)).toEqual(['80111.250'])
    expect(missing[0]?.reason).toBe('1 of 2 points have no price; 2026-10-02 to 2026-10-03: no price')
  })

  it('refuses the history of another coin', () => {
    expect(() => mapped('history', days, historicalV3.replace('"id":1,', '"id":2,'))).toThrow(
      /\$\.data: wanted the coin 1/,
    )
  })
})

describe('CoinMarketCap map, the list of coins', () => {
  const { catalog } = coinmarketcap
  if (!catalog) throw new Error('no catalog')

  it('asks for a symbol, or for the largest', () => {
    expect(catalog.request('btc').query).toEqual({ symbol: 'BTC' })
    expect(catalog.request()).toMatchObject({ path: '/v1/cryptocurrency/map', query: { sort: 'cmc_rank' } })
  })

  it('lists namesakes apart, with rank and whether they are traded', () => {
    expect(catalog.read(bytes(mapOfBtc))).toEqual([
      { sourceId: '1', symbol: 'BTC', name: 'Bitcoin', rank: 1, isActive: true },
      { sourceId: '91777', symbol: 'BTC', name: 'Big Tuna Coin', rank: 4321, isActive: true },
      { sourceId: '91778', symbol: 'BTC', name: 'Bygone Coin', isActive: false },
    ])
  })

  it('lets one bad row spoil no other, and refuses what has no good one', () => {
    const bad = mapOfBtc.replace('"id":91777', '"id":null')
    expect(catalog.read(bytes(bad)).map(e => e.sourceId)).toEqual(['1', '91778'])
    expect(() => catalog.read(bytes(mapOfBtc.replaceAll('"id":', '"di":')))).toThrow(/\$\.data\[0\]\.id/)
    expect(() => catalog.read(bytes('{"data":[]}'))).toThrow(/status/)
  })
})
