import type { AssetId, Credits, EpochMicros, ProviderId } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Charge, PlanLimits, ProviderUsage } from '../core/ports/ledger.ts'
import type { Currency, Metric, Origin, Quote } from '../core/records.ts'

/** An asset by the provider's own stable id. */
export interface AssetRef {
  readonly asset: AssetId
  readonly symbol: string
  readonly sourceId: string
}

/** [from, to) */
export interface TimeRange {
  readonly from: EpochMicros
  readonly to: EpochMicros
}

/** What one call asks for. */
export interface Page {
  /** Empty = whatever the answer holds: a saved body, a list of the largest, figures of the whole market. */
  readonly assets: readonly AssetRef[]
  readonly currency: Currency
  /** Of a history dataset. */
  readonly range?: TimeRange
  /** So many of the largest by market cap, in place of named assets. */
  readonly top?: number
  /** Beside `top`: what this installation calls some of them. */
  readonly names?: readonly AssetRef[]
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
  | {
      readonly kind: 'answered'
      readonly charge: Charge
      /** Nobody may call this scope before: the provider's own counter is close to its limit. */
      readonly pauseUntil?: EpochMicros
    }
  | {
      readonly kind: 'refused'
      readonly outcome: Outcome
      readonly reason: string
      readonly charge: Charge
      /**
       * When another try makes sense: the provider's word or the judge's own guess. It pauses the whole scope with `rate-limited` and
       * `quota-exhausted` only, where the provider refused the address or the key. A `Retry-After` header pauses the scope with any
       * refusal and needs nothing of the judge (`pauseOf` in judging.ts reads it from the answer).
       */
      readonly retryAt: EpochMicros | null
      /**
       * Which credits are used up, where no time was told with it: the ledger knows when they come back, and the scope is paused until
       * then (pause-of-credits.ts). A judge does not guess that time.
       */
      readonly exhausted?: 'day' | 'month'
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
  /** Figures of the whole market; only of datasets of the kind `metrics`. */
  readonly metrics?: readonly Metric[]
  /** Asked, but without a usable price; each with the reason. */
  readonly missing: readonly { readonly asset: AssetId; readonly sourceId: string; readonly reason: string }[]
}

/**
 * `quotes` = latest prices of named assets; `market` = prices with market data, of named assets or of the largest; `metrics` = figures
 * of the whole market; `history` = past prices, only asked by `cryptos backfill`.
 */
export const datasetKinds = ['quotes', 'market', 'metrics', 'history'] as const
export type DatasetKind = (typeof datasetKinds)[number]

/** What a history dataset has. */
export interface HistoryShape {
  /** Widest range of one call. */
  readonly rangeMaxMs: number
  /** How far back from now the provider goes, by its own word: `cryptos backfill` keeps off the border. null = to its beginning. */
  readonly reachMs: number | null
  /** Grid of the prices. */
  readonly stepMs: number
  /** So long after the end of a day (00:00 UTC) its price is there; an hour unless told otherwise. */
  readonly readyMs?: number
}

export interface Dataset {
  /** Unique in the provider; that of the first `quotes` dataset is `quotes`. */
  readonly id: string
  readonly kind: DatasetKind
  readonly doc: string
  /** Only reached with, or only without a key; absent = both ways. */
  readonly access?: 'keyless' | 'keyed'
  /** Only these of the provider's assets; absent = all of them. */
  readonly assets?: ReadonlySet<AssetId>
  /** Most assets a call; a page is always filled. 1 for metrics. */
  readonly pageSize: number
  /** How often the provider's data change: the grid of the slots. */
  readonly refreshMs: number
  /** Wanted time between two calls for a page where the quota allows it. */
  readonly intervalMs: number
  /** Most of the largest that a page may ask for by `top`; absent = it can not. */
  readonly topMax?: number
  readonly history?: HistoryShape
  /** The dearest cost that may apply, by the provider's documented rule. */
  costMax(page: Page): Credits
  request(page: Page): HttpRequest
  /** Never throws. */
  judge(answer: HttpAnswer, page: Page): Verdict
  /** Pure. One bad asset never spoils its neighbours. @throws CryptosError CRY_PROVIDER_PAYLOAD with the JSON path when nothing can be read */
  map(body: Uint8Array, context: MappingContext): Mapped
}

/** A header that shows the key; its value is a secret. `at` is now, for schemes that sign the time. */
export type Authorize = (key: string, at: EpochMicros) => { readonly name: string; readonly value: string }

/** The key as it is, or after a word: `Authorization: Apikey …`. */
export const keyHeader =
  (name: string, prefix = ''): Authorize =>
  key => ({ name, value: `${prefix}${key}` })

/** A source that is closed to the public. */
export interface Retired {
  /** `2025-02-12`. */
  readonly since: string
  /** One sentence with what to use instead. */
  readonly reason: string
}

/** One way to reach a provider: with a key, or without. */
export interface Access {
  readonly baseUrl: string
  /** How the key is shown. Always a header, never a query parameter. */
  readonly authorize?: Authorize
  /** Off by default in live mode, with the reason and the date in every view. */
  readonly retired?: Retired
  /** Floor of the quota until the provider has told its own. */
  readonly limits: PlanLimits
  /** Pace inside a process, for bottleneck. */
  readonly minTimeMs: number
}

export interface UsageEndpoint {
  readonly request: HttpRequest
  /** Never throws. Absent = as the first dataset judges, where its envelope is the same. */
  judge?(answer: HttpAnswer): Verdict
  /** @throws CryptosError CRY_PROVIDER_PAYLOAD */
  read(body: Uint8Array, at: EpochMicros): ProviderUsage
}

/** An asset as a provider's own list has it. */
export interface CatalogEntry {
  readonly sourceId: string
  readonly symbol: string
  readonly name: string
  /** Currency of a pair or product; absent where the id stands for the asset alone. */
  readonly currency?: Currency
  /** By market cap, 1 = the largest; absent where the provider does not rank. */
  readonly rank?: number
  readonly isActive: boolean
}

/** Where a provider lists its assets: proposals for the asset table come from here. */
export interface Catalog {
  /** The dearest cost of a call. */
  readonly costMax: Credits
  readonly access?: 'keyless' | 'keyed'
  /** @param symbol only these are wanted, where the API can filter; the caller filters again */
  request(symbol?: string): HttpRequest
  /** Never throws. */
  judge(answer: HttpAnswer): Verdict
  /** @throws CryptosError CRY_PROVIDER_PAYLOAD */
  read(body: Uint8Array): readonly CatalogEntry[]
}

/** All that the product knows about one API. `NOTES.md` beside it holds the evidence. */
export interface Provider {
  readonly id: ProviderId
  readonly title: string
  readonly doc: string
  readonly keyless?: Access
  readonly keyed?: Access
  /** Plans of a key by name, the first being what a free key gets; limits that hold until the provider tells its own. */
  readonly plans?: Readonly<Record<string, PlanLimits>>
  /** Environment variable of the key, without `_FILE`: `COINMARKETCAP_API_KEY`. */
  readonly keyName?: string
  readonly usage?: UsageEndpoint
  readonly datasets: readonly Dataset[]
  /** Our assets that this provider has, by its stable ids. */
  readonly assets: ReadonlyMap<AssetId, string>
  /** Currencies that a page may ask for, where the ids of `assets` already stand for one; absent = any. */
  readonly currencies?: readonly Currency[]
  /** What is collected in place of a currency that the provider does not have: `{ USD: 'USDT' }`. The rows say which it is. */
  readonly standIn?: Readonly<Record<Currency, Currency>>
  readonly catalog?: Catalog
  /** What its terms want to stand beside its data: `Data provided by CoinGecko (https://…)`. */
  readonly attribution?: string
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
  if (provider.keyed && !(provider.keyed.authorize && provider.keyName))
    wrong('a key without its header or name')
  if (provider.datasets.length === 0) wrong('no dataset')
  if (new Set(provider.datasets.map(d => d.id)).size !== provider.datasets.length)
    wrong('two datasets of one name')
  for (const dataset of provider.datasets)
    if (!(dataset.pageSize >= 1 && dataset.refreshMs > 0 && dataset.intervalMs >= dataset.refreshMs))
      wrong(`dataset ${dataset.id} has no usable page size or times`)
  return provider
}
