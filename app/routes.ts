import type { ScopeSpec } from '../core/ports/ledger.ts'
import type { Source as PollSource } from '../collectors/poll-types.ts'
import type { Provider } from '../collectors/provider.ts'
import { sourceOf } from '../collectors/source.ts'
import { planLimits } from '../quota/plans.ts'
import { sandboxKey } from '../sandbox/key.ts'
import type { Config } from './config/load.ts'
import { providerNamed } from './provider-named.ts'
import type { Source } from './source.ts'

/** One provider as it is reached now, and the quota that it falls under. */
export interface Route {
  readonly provider: Provider
  readonly poll: PollSource
  readonly scope: ScopeSpec
}

/** @throws CryptosError CRY_CONFIG_INVALID for an unknown provider, or one that needs a key that is not set */
export function routeOf(name: string, config: Config, source: Source): Route {
  const provider = providerNamed(name, 'CRY_CONFIG_INVALID')
  const key = keyOf(provider, config, source)
  const { source: poll, spec } = sourceOf(provider, {
    ...(key === undefined ? {} : { key }),
    ...(source.sandboxUrl === undefined ? {} : { sandboxBaseUrl: `${source.sandboxUrl}/${provider.id}` }),
    owned: config.coinmarketcapKeyOwned,
    origin: source.origin,
  })
  const scope =
    key === undefined ? spec : { ...spec, limits: planLimits(`${provider.id}/${config.coinmarketcapPlan}`) }
  return { provider, poll, scope }
}

export const routesOf = (config: Config, source: Source): readonly Route[] =>
  config.providers.map(name => routeOf(name, config, source))

function keyOf(provider: Provider, config: Config, source: Source): string | undefined {
  if (provider.keyName !== 'COINMARKETCAP_API_KEY') return undefined
  return source.kind === 'sandbox' ? sandboxKey : config.secrets.coinmarketcapApiKey
}
