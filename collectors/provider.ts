import type { AssetId, Credits, EpochMicros, ProviderId } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Charge, PlanLimits, ProviderUsage } from '../core/ports/ledger.ts'
import type { Currency, Origin, Quote } from '../core/records.ts'

/** An asset by the provider's own stable id. */
export interface AssetRef {
  readonly asset: AssetId
  readonly symbol: string
  readonly sourceId: string
}

/** What one call asks for. */
export interface Page {
  readonly assets: readonly AssetRef[]
  readonly currency: Currency
}

export interface HttpRequest {
  /** Appended to the access's base URL; starts with `/`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export interface HttpAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly receivedAt: EpochMicros
}

/** What an answer means for the quota and the slot; decided before any mapping, and never by a throw. */
export type Verdict =
  | { readonly kind: 'answered'; readonly charge: Charge }
  | {
      readonly kind: 'refused'
      readonly outcome: Outcome
      readonly reason: string
      readonly charge: Charge
      readonly retryAt: EpochMicros | null
    }

/** Kept with the raw body, so that it can be mapped again at any time with the same result. */
export interface MappingContext {
  readonly provider: ProviderId
  readonly dataset: string
  readonly page: Page
  readonly origin: Origin
  readonly runId: string
  readonly receivedAt: EpochMicros
  readonly revision: number
  readonly credits: Credits
  readonly rawRef: string
}

export interface Mapped {
  readonly records: readonly Quote[]
  /** Asked, but without a usable price; each with the reason. */
  readonly missing: readonly { readonly asset: AssetId; readonly sourceId: string; readonly reason: string }[]
}

export interface Dataset {
  /** `quotes`. */
  readonly id: string
  readonly doc: string
  /** Most assets a call; a page is always filled. */
  readonly pageSize: number
  /** How often the provider's data change: the grid of the slots. */
  readonly refreshMs: number
  /** Wanted time between two calls for a page where the quota allows it. */
  readonly intervalMs: number
  /** The dearest cost that may apply, by the provider's documented rule. */
  costMax(page: Page): Credits
  request(page: Page): HttpRequest
  /** Never throws. */
  judge(answer: HttpAnswer, page: Page): Verdict
  /** Pure. One bad asset never spoils its neighbours. @throws CryptosError CRY_PROVIDER_PAYLOAD with the JSON path when nothing can be read */
  map(body: Uint8Array, context: MappingContext): Mapped
}

/** One way to reach a provider: with a key, or without. */
export interface Access {
  readonly baseUrl: string
  /** Header that carries the key. Never a query parameter. */
  readonly keyHeader?: string
  /** Floor of the quota until the provider has told its own. */
  readonly limits: PlanLimits
  /** Pace inside a process, for bottleneck. */
  readonly minTimeMs: number
}

export interface UsageEndpoint {
  readonly request: HttpRequest
  /** @throws CryptosError CRY_PROVIDER_PAYLOAD */
  read(body: Uint8Array, at: EpochMicros): ProviderUsage
}

/** All that the product knows about one API. `NOTES.md` beside it holds the evidence. */
export interface Provider {
  readonly id: ProviderId
  readonly title: string
  readonly doc: string
  readonly keyless?: Access
  readonly keyed?: Access
  /** Environment variable of the key, without `_FILE`: `COINMARKETCAP_API_KEY`. */
  readonly keyName?: string
  readonly usage?: UsageEndpoint
  readonly datasets: readonly Dataset[]
  /** Our assets that this provider has, by its stable ids. */
  readonly assets: ReadonlyMap<AssetId, string>
  /** Currencies that a page may ask for, where the ids of `assets` already stand for one; absent = any. */
  readonly currencies?: readonly Currency[]
}

/**
 * Checks what TypeScript can not, and returns the definition.
 * @throws CryptosError CRY_CONFIG_INVALID for a definition that no call could be made with
 */
export function defineProvider(provider: Provider): Provider {
  const wrong = (what: string): never => {
    throw new CryptosError('CRY_CONFIG_INVALID', `provider ${provider.id}: ${what}`)
  }
  for (const access of [provider.keyless, provider.keyed])
    if (access && !/^https:\/\/[a-z0-9.-]+(\/[a-z0-9/-]*[a-z0-9])?$/.test(access.baseUrl))
      wrong(`${access.baseUrl} is no https URL without a slash at its end`)
  if (!provider.keyless && !provider.keyed) wrong('neither keyless nor keyed')
  if (provider.keyed && !(provider.keyed.keyHeader && provider.keyName))
    wrong('a key without its header or name')
  if (provider.datasets.length === 0) wrong('no dataset')
  for (const dataset of provider.datasets)
    if (!(dataset.pageSize >= 1 && dataset.refreshMs > 0 && dataset.intervalMs >= dataset.refreshMs))
      wrong(`dataset ${dataset.id} has no usable page size or times`)
  return provider
}
