import { CryptosError } from '../core/errors.ts'
import type { ScopeSpec } from '../core/ports/ledger.ts'
import type { Origin } from '../core/records.ts'
import { scopeOfHost, scopeOfKey } from '../quota/scope.ts'
import type { Source } from './poll-types.ts'
import type { Access, Provider } from './provider.ts'

export interface SourceOptions {
  /** With it the provider is reached by its keyed access. */
  readonly key?: string
  /** `http://127.0.0.1:8080/coinmarketcap`: takes the place of the provider's own host. */
  readonly sandboxBaseUrl?: string
  /** Whether nothing else uses the key. */
  readonly owned?: boolean
  readonly origin?: Origin
}

/** A provider as it is reached in this run, and its quota scope for the ledger. @throws CryptosError CRY_CONFIG_INVALID */
export function sourceOf(provider: Provider, options: SourceOptions): { source: Source; spec: ScopeSpec } {
  const { key, sandboxBaseUrl, origin } = options
  const own = key === undefined ? provider.keyless : provider.keyed
  if (!own) {
    const why = key === undefined ? `needs a key: set ${provider.keyName ?? 'one'}` : 'takes no key'
    throw new CryptosError('CRY_CONFIG_INVALID', `${provider.title} ${why}`)
  }
  const access = sandboxBaseUrl === undefined ? own : { ...own, baseUrl: atSandbox(own, sandboxBaseUrl) }
  // The provider's own host also where a sandbox stands in for it: several providers live at one sandbox, each with its limits.
  const scope = key === undefined ? scopeOfHost(new URL(own.baseUrl).host) : scopeOfKey(provider.id, key)
  const hasUsage = key !== undefined && provider.usage !== undefined
  return {
    source: {
      ...{ provider, access, scope },
      origin: origin ?? (sandboxBaseUrl === undefined ? 'live' : 'sandbox'),
      ...(key === undefined ? {} : { key: () => key }),
    },
    spec: { scope, provider: provider.id, limits: own.limits, hasUsage, owned: options.owned ?? true },
  }
}

/** Keeps the path of the real base URL: `/public-api` is part of the sandbox too. */
function atSandbox(own: Access, sandboxBaseUrl: string): string {
  const { pathname } = new URL(own.baseUrl)
  return `${sandboxBaseUrl.replace(/\/$/, '')}${pathname === '/' ? '' : pathname}`
}
