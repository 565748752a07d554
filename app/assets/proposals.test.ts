import { describe, expect, it } from 'vitest'
import { assetById } from '../../core/assets.ts'
import { AssetId } from '../../core/brands.ts'
import { coinmarketcap } from '../../collectors/providers/coinmarketcap/index.ts'
import type { CatalogEntry } from '../../collectors/provider.ts'
import { candidatesOf, faultsOf, newListings, onlyOne } from './proposals.ts'

const entry = (sourceId: string, symbol: string, more: Partial<CatalogEntry> = {}): CatalogEntry => ({
  ...{ sourceId, symbol, name: `${symbol} ${sourceId}`, isActive: true },
  ...more,
})
const namesakes = [
  entry('31469', 'BTC', { rank: 4_000 }),
  entry('30938', 'BTC', { isActive: false }),
  entry('1', 'BTC', { rank: 1 }),
]

describe('proposals', () => {
  it('show every namesake, the largest active one first, with what the table makes of it', () => {
    const found = candidatesOf(coinmarketcap, namesakes, [])
    expect(found.map(c => [c.sourceId, c.knownAs])).toEqual([
      ['1', 'bitcoin'],
      ['31469', null],
      ['30938', null],
    ])
  })

  it('choose nothing where two active ones share a symbol, and nothing in another currency', () => {
    expect(onlyOne(candidatesOf(coinmarketcap, namesakes, []), 'USD')).toHaveLength(2)
    const pairs = [entry('FOOEUR', 'FOO', { currency: 'EUR' }), entry('FOOUSD', 'FOO', { currency: 'USD' })]
    expect(onlyOne(candidatesOf(coinmarketcap, pairs, []), 'USD')).toMatchObject({ sourceId: 'FOOUSD' })
    expect(onlyOne(candidatesOf(coinmarketcap, pairs, []), 'JPY')).toBeUndefined()
  })

  it('find new listings by their rank, without those that were added', () => {
    const listed = [
      entry('1', 'BTC', { rank: 1 }),
      entry('900', 'NEW', { rank: 2 }),
      entry('901', 'OTHER', { rank: 3 }),
    ]
    const own = [
      {
        id: AssetId('other'),
        symbol: 'OTHER',
        name: 'Other',
        ids: { coinmarketcap: '901' },
        source: 'live' as const,
      },
    ]
    expect(newListings(candidatesOf(coinmarketcap, listed, own), 3).map(c => c.sourceId)).toEqual(['900'])
    expect(newListings(candidatesOf(coinmarketcap, listed, own), 1)).toEqual([])
  })

  it('tell of ids that are gone, asleep or another asset now', () => {
    const good = [...coinmarketcap.assets].map(([asset, sourceId]) => entry(sourceId, symbolOf(asset)))
    expect(faultsOf(coinmarketcap, good, [])).toEqual([])
    const spoilt = good
      .filter(e => e.sourceId !== '74')
      .map(e =>
        e.sourceId === '52' ? { ...e, isActive: false } : e.sourceId === '2' ? { ...e, symbol: 'XYZ' } : e,
      )
    expect(faultsOf(coinmarketcap, spoilt, []).toSorted()).toEqual([
      'dogecoin is 74 at CoinMarketCap, which is not in its list any more',
      'litecoin is 2 at CoinMarketCap, which is called XYZ there and LTC here',
      'xrp is 52 at CoinMarketCap, which is not active any more',
    ])
  })
})

const symbolOf = (asset: AssetId): string => assetById(asset)?.symbol ?? ''
