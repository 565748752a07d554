import { describe, expect, it } from 'vitest'
import { AssetId } from '../core/brands.ts'
import { loadConfig } from './config/load.ts'
import { parametersOf } from './judging.ts'

const minutes = (env: Record<string, string>, provider: string, asset: string): number | undefined => {
  const { offers } = parametersOf(loadConfig(env), { kind: 'sandbox' }).spot
  const intervals = offers[provider]?.intervalsMs
  const ms = intervals?.byAsset.get(AssetId(asset)) ?? intervals?.other
  return ms === undefined ? undefined : ms / 60_000
}

describe('what the judge is told', () => {
  it('is how often each asset is asked for, by the fastest dataset that is collected', () => {
    const both = { CRYPTOS_DATASETS: 'quotes,market', CRYPTOS_TOP_ASSETS: '50', CRYPTOS_ASSETS: 'bitcoin' }
    const bitcoin = minutes({ CRYPTOS_ASSETS: 'bitcoin' }, 'coinmarketcap', 'bitcoin') ?? 0
    expect(bitcoin).toBeGreaterThan(0)
    expect(minutes(both, 'coinmarketcap', 'bitcoin')).toBe(bitcoin)
    expect(minutes(both, 'coinmarketcap', 'litecoin')).toBe(15)
    expect(minutes({ CRYPTOS_ASSETS: 'bitcoin' }, 'coinmarketcap', 'litecoin')).toBeUndefined()
  })

  it('is never less than the setting for all', () => {
    const slow = { CRYPTOS_ASSETS: 'bitcoin', CRYPTOS_MIN_INTERVAL_SECONDS: '3600' }
    expect(minutes(slow, 'kraken', 'bitcoin')).toBe(60)
  })
})
