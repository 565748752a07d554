import { describe, expect, it } from 'vitest'
import { loadConfig } from './config/load.ts'
import { sourceViews } from './source-views.ts'

const views = (env: Record<string, string>, kind: 'live' | 'sandbox' = 'live') =>
  new Map(sourceViews(loadConfig(env), { kind }).map(view => [view.provider as string, view]))

describe('source views', () => {
  it('tell of every provider, and why one is not on', () => {
    const found = views({ CRYPTOS_PROVIDERS: 'kraken', CRYPTOS_CURRENCY: 'EUR' })
    expect(found.get('kraken')).toMatchObject({
      isOn: false,
      why: 'Kraken gives prices in USD only, not in EUR',
    })
    expect(found.get('coinbase')?.why).toBe('not on the list of CRYPTOS_PROVIDERS')
    expect(views({ CRYPTOS_PROVIDERS: 'kraken' }).get('kraken')).toMatchObject({ isOn: true, why: null })
  })

  it('tell how a provider is reached', () => {
    expect(views({}).get('coinmarketcap')).toMatchObject({ access: 'keyless' })
    expect(views({ COINMARKETCAP_API_KEY: 'k'.repeat(32) }).get('coinmarketcap')).toMatchObject({
      access: 'keyed',
    })
    expect(views({}, 'sandbox').get('coinmarketcap')).toMatchObject({ access: 'keyed' })
  })
})
