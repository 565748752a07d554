import { CryptosError } from '../core/errors.ts'
import type { PlanLimits, ScopeSpec } from '../core/ports/ledger.ts'
import type { Source as PollSource } from '../collectors/poll-types.ts'
import type { Provider } from '../collectors/provider.ts'
import { sourceOf } from '../collectors/source.ts'
import { planLimits, plans } from '../quota/plans.ts'
import { sandboxKey } from '../sandbox/key.ts'
import type { Config } from './config/load.ts'
import { suggest } from './config/suggest.ts'
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
    key === undefined ? spec : { ...spec, limits: planNamed(provider.id, config.coinmarketcapPlan) }
  return { provider, poll, scope }
}

/** A typing error must not choose limits in silence. @throws CryptosError CRY_CONFIG_INVALID */
function planNamed(provider: string, name: string): PlanLimits {
  const known = Object.keys(plans).flatMap(key => {
    const [owner, plan = ''] = key.split('/')
    return owner === provider && plan !== 'keyless' ? [plan] : []
  })
  if (known.includes(name)) return planLimits(`${provider}/${name}`)
  const sentence = `CRYPTOS_COINMARKETCAP_PLAN: there is no plan ${name.slice(0, 40)}${suggest(name, known)} (there are ${known.join(', ')})`
  throw new CryptosError('CRY_CONFIG_INVALID', sentence)
}

export const routesOf = (config: Config, source: Source): readonly Route[] =>
  config.providers.map(name => routeOf(name, config, source))

function keyOf(provider: Provider, config: Config, source: Source): string | undefined {
  if (provider.keyName !== 'COINMARKETCAP_API_KEY') return undefined
  return source.kind === 'sandbox' ? sandboxKey : config.secrets.coinmarketcapApiKey
}
