import { CryptosError } from '../core/errors.ts'
import type { PlanLimits, ScopeSpec } from '../core/ports/ledger.ts'
import type { Source as PollSource } from '../collectors/poll-types.ts'
import type { Access, Provider } from '../collectors/provider.ts'
import { sourceOf } from '../collectors/source.ts'
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
    owned: !config.sharedKeys.includes(provider.id),
    origin: source.origin,
  })
  const limits = key === undefined ? undefined : planOf(provider, config)
  return { provider, poll, scope: limits === undefined ? spec : { ...spec, limits } }
}

/** Why a provider is not asked although it is on the list. */
export interface Off {
  /** `2025-02-12`. */
  readonly since: string
  readonly reason: string
}

/** A source that is closed to the public is off with live data, until somebody says that he still has access. */
export function whyOff(provider: Provider, config: Config, source: Pick<Source, 'kind'>): Off | null {
  if (source.kind === 'sandbox' || config.retiredProviders.includes(provider.id)) return null
  return accessOf(provider, config)?.retired ?? null
}

/** As one sentence, for every view. */
export const sayOff = (provider: Provider, { since, reason }: Off): string =>
  `${provider.title} is off since ${since}: ${reason} (with access of your own: CRYPTOS_RETIRED_PROVIDERS=${provider.id})`

/** How the provider is reached with what is set; its keyed access where there is no other. */
const accessOf = (provider: Provider, config: Config): Access | undefined =>
  config.secrets[provider.id] === undefined
    ? (provider.keyless ?? provider.keyed)
    : (provider.keyed ?? provider.keyless)

/** The providers on the list that can be asked. @throws CryptosError CRY_CONFIG_INVALID */
export const routesOf = (config: Config, source: Source): readonly Route[] =>
  config.providers
    .filter(name => whyOff(providerNamed(name, 'CRY_CONFIG_INVALID'), config, source) === null)
    .map(name => routeOf(name, config, source))

/**
 * Without a word: of a provider that tells its usage the smallest plan there has been, which is the floor of its access (undefined
 * here), so that nothing is spent beyond it where the usage can not be read; of any other what a free key gets.
 * A typing error must not choose limits in silence.
 * @throws CryptosError CRY_CONFIG_INVALID
 */
function planOf(provider: Provider, config: Config): PlanLimits | undefined {
  const known = provider.plans ?? {}
  const named = config.plans.flatMap(pair => {
    const [owner, plan = ''] = pair.split('=')
    return owner === provider.id ? [plan] : []
  })
  const name = named.at(-1) ?? (provider.usage ? undefined : Object.keys(known)[0])
  if (name === undefined) return undefined
  const limits = Object.hasOwn(known, name) ? known[name] : undefined
  if (limits !== undefined) return limits
  const names = Object.keys(known)
  const there = names.length === 0 ? 'it has no named plans' : `there are ${names.join(', ')}`
  throw new CryptosError(
    'CRY_CONFIG_INVALID',
    `CRYPTOS_PLANS: ${provider.title} has no plan ${name.slice(0, 40)}${suggest(name, names)} (${there})`,
  )
}

function keyOf(provider: Provider, config: Config, source: Source): string | undefined {
  if (provider.keyName === undefined) return undefined
  return source.kind === 'sandbox' ? sandboxKey : config.secrets[provider.id]
}
