import { describe, expect, it } from 'vitest'
import { AssetId } from '../core/brands.ts'
import { checkNames } from './check-names.ts'
import { loadConfig } from './config/load.ts'

const check = (env: Record<string, string>): void => checkNames(loadConfig(env))

describe('names in lists', () => {
  it('of the defaults are known', () => expect(() => check({})).not.toThrow())
  it.each([
    ['CRYPTOS_PROVIDERS', 'kraken,coinbse', 'coinbase'],
    ['CRYPTOS_SHARED_KEYS', 'coinmarketcp', 'coinmarketcap'],
    ['CRYPTOS_RETIRED_PROVIDERS', 'coindsk', 'coindesk'],
    ['CRYPTOS_SPOT_SOURCES', 'krakn', 'kraken'],
    ['CRYPTOS_PLANS', 'coingeko=demo', 'coingecko'],
    ['CRYPTOS_DATASETS', 'quotess', 'quotes'],
    ['CRYPTOS_DATASETS', 'coinpaprika/globl', 'coinpaprika/global'],
  ])('%s=%s is refused with what was meant: %s', (name, value, meant) => {
    expect(() => check({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'CRY_CONFIG_INVALID',
        message: expect.stringMatching(`^${name}: .*${meant}`),
      }),
    )
  })
  it('a source of the spot price must be collected', () => {
    expect(() => check({ CRYPTOS_SPOT_SOURCES: 'bitstamp' })).toThrow(
      'is not on the list of CRYPTOS_PROVIDERS',
    )
  })
  it('two assets of one id are refused, with the file', () => {
    const config = loadConfig({})
    const twin = { id: AssetId('mine'), symbol: 'BTC', name: 'Mine', ids: { coinmarketcap: '1' } }
    expect(() => checkNames({ ...config, ownAssets: [{ ...twin, source: 'live' }] })).toThrow(
      /assets\.json: bitcoin and mine are both 1 at CoinMarketCap/,
    )
  })
  it('a history is named as what backfill asks', () => {
    expect(() => check({ CRYPTOS_DATASETS: 'quotes,coinpaprika/history' })).toThrow('cryptos backfill')
  })
})
