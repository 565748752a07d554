import type { EpochMicros } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Meter } from './meter.ts'
import type { SandboxPlan } from './plan.ts'
import type { PriceSource } from './prices.ts'

/** Name of a provider that the sandbox plays: its folder's name. */
export type SandboxProvider = string

/** One price that an answer carried, for the audit. */
export interface ServedValue {
  /** The provider's own stable id: `1`, `XXBTZUSD`, `BTC-USD`. */
  readonly sourceId: string
  readonly currency: string
  /** The very digits in the body. */
  readonly price: string
  /** Time of the quote in the body; null where the provider sends none. */
  readonly observedAt: EpochMicros | null
}

/** A request as a provider sees it. */
export interface Call {
  readonly at: EpochMicros
  readonly provider: SandboxProvider
  /** Path without the provider's prefix: `/v3/cryptocurrency/quotes/latest`. */
  readonly endpoint: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly ip: string
  /** 1; 2 while a fault makes the provider charge twice its price; 0 for a failure that costs nothing. */
  readonly priceFactor: number
}

export type ReplyResult = 'served' | 'refused' | 'failed'

/** What a provider answers, and what the meter notes about it. */
export interface Reply {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** `0` for an answer with data, else the provider's own code or message. */
  readonly code: string
  readonly credits: number
  /** `key:<hash>` or `ip:<address>`. */
  readonly scope: string
  readonly result: ReplyResult
  /** Where the caller sent its key; told by twins whose key is not CoinMarketCap's. */
  readonly keyIn?: 'header' | 'query' | 'none'
  readonly served: readonly ServedValue[]
}

/** One simulated provider. */
export interface Twin {
  /** Counts, charges and answers one call. */
  answer(call: Call): Reply
  /** The answer that says "too many requests", whatever the counters say. */
  rateLimited(call: Call): Pick<Reply, 'status' | 'body' | 'code'>
  /** The answer that says "we are broken". */
  serverError(call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'>
  /** Another program uses the same key. Returns the scope and what it was charged (never past the limit). */
  useElsewhere?(credits: number, at: EpochMicros): { readonly scope: string; readonly credits: number }
}

/** A twin as its provider's folder exports it (`twin/index.ts`, named `twin`). */
export interface TwinDefinition {
  readonly id: SandboxProvider
  /** Codes of answers that a client which keeps its limits never gets. */
  readonly refusals: readonly string[]
  open(options: TwinOptions): Twin
}

/** What a twin is made of. */
export interface TwinOptions {
  readonly clock: Clock
  readonly plan: SandboxPlan
  readonly prices: PriceSource
  readonly keys: readonly string[]
  readonly meter: Meter
  /** What this test or run changes in the twin's own limits, by the names that the twin documents. */
  readonly limits: Readonly<Record<string, unknown>>
}

/** The twin's own limits with what the caller changes. */
export const limitsOf = <L extends object>(own: L, { limits }: Pick<TwinOptions, 'limits'>): L => ({
  ...own,
  ...(limits as Partial<L>),
})
