import { expect, it } from 'vitest'
import { loadConfig } from './config/load.ts'
import { routeOf } from './routes.ts'
import { liveSource } from './source.ts'

/** The limits that hold until the key has told its own. */
function floorOf(provider: string, plans?: string) {
  const keys = { COINMARKETCAP_API_KEY: 'k'.repeat(32), COINGECKO_API_KEY: 'CG-'.padEnd(27, 'k') }
  const config = loadConfig({ ...keys, ...(plans === undefined ? {} : { CRYPTOS_PLANS: plans }) })
  return routeOf(provider, config, liveSource(config)).scope.limits
}

it('takes the smallest plan of a key that can tell its own, unless somebody names another', () => {
  expect(floorOf('coinmarketcap')).toMatchObject({ plan: 'basic-2021', creditsPerDay: 333 })
  expect(floorOf('coinmarketcap', 'coinmarketcap=basic-2026').creditsPerMonth).toBe(15_000)
})

it('takes the free plan of a key that can not', () => {
  expect(floorOf('coingecko').plan).toBe('demo')
  expect(floorOf('coingecko', 'coingecko=demo-2026').plan).toBe('demo-2026')
})
