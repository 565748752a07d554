import { CryptosError } from '../core/errors.ts'
import type { ScopeSpec } from '../core/ports/ledger.ts'
import type { Access, Provider } from '../collectors/provider.ts'
import { providerById, providers } from '../collectors/registry.ts'
import { planLimits } from '../quota/plans.ts'
import { scopeOfHost, scopeOfKey } from '../quota/scope.ts'
import type { Config } from './config/load.ts'
import { suggest } from './config/suggest.ts'
import type { Source } from './source.ts'

/** One provider as it is reached now: with which access, under which quota. */
export interface Route {
  readonly provider: Provider
  readonly baseUrl: string
  readonly access: Access
  /** Sent as a header, never in a URL. */
  readonly secret?: { readonly header: string; readonly value: string }
  readonly scope: ScopeSpec
}

/** The sandbox accepts this key; it opens nothing else. */
export const sandboxKey = 'sandbox-key-not-a-secret'

/** @throws CryptosError CRY_CONFIG_INVALID for an unknown provider or a plan that is not in the table */
export function routeOf(name: string, config: Config, source: Source): Route {
  const provider = providerById(name)
  const names = providers.map(p => p.id as string)
  if (!provider)
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `"${name.slice(0, 60)}" is not a provider${suggest(name, names)}: ${names.join(', ')}`,
    )
  const key = keyOf(provider, config, source)
  const access = key === undefined ? provider.keyless : provider.keyed
  if (!access)
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `${provider.title} needs a key: set ${provider.keyName ?? 'it'} or ${provider.keyName ?? 'it'}_FILE`,
    )
  const secret =
    key === undefined || access.keyHeader === undefined
      ? {}
      : { secret: { header: access.keyHeader, value: key } }
  return {
    provider,
    access,
    baseUrl: baseUrlOf(provider, access, source),
    ...secret,
    scope: scopeSpec(provider, access, key, config),
  }
}

export const routesOf = (config: Config, source: Source): readonly Route[] =>
  config.providers.map(name => routeOf(name, config, source))

function keyOf(provider: Provider, config: Config, source: Source): string | undefined {
  if (provider.keyName !== 'COINMARKETCAP_API_KEY') return undefined
  return source.kind === 'sandbox' ? sandboxKey : config.secrets.coinmarketcapApiKey
}

function baseUrlOf(provider: Provider, access: Access, source: Source): string {
  if (source.sandboxUrl === undefined) return access.baseUrl
  const path = new URL(access.baseUrl).pathname
  return `${source.sandboxUrl}/${provider.id}${path === '/' ? '' : path}`
}

function scopeSpec(provider: Provider, access: Access, key: string | undefined, config: Config): ScopeSpec {
  const limits = key === undefined ? access.limits : planLimits(`${provider.id}/${config.coinmarketcapPlan}`)
  return {
    scope: key === undefined ? scopeOfHost(new URL(access.baseUrl).hostname) : scopeOfKey(key),
    provider: provider.id,
    limits,
    hasUsage: key !== undefined && provider.usage !== undefined,
    owned: key === undefined || config.coinmarketcapKeyOwned,
  }
}
