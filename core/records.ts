import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from './brands.ts'
import type { Outcome } from './outcomes.ts'

export type Origin = 'live' | 'backfill' | 'replay' | 'sandbox'

/** A currency of a price: `USD`, `EUR`, `USDT`. */
export type Currency = string

/**
 * One price of one asset, as one provider said it. Identity: provider, asset, currency, observedAt.
 * All numbers are decimal text with the provider's digits; all times are integer microseconds since the epoch.
 */
export interface Quote {
  readonly kind: 'quote'
  readonly provider: ProviderId
  readonly asset: AssetId
  /** What people call it, for display only: `BTC`. Never a key. */
  readonly symbol: string
  /** The provider's own stable id: CoinMarketCap `1`, Kraken `XXBTZUSD`. */
  readonly sourceId: string
  readonly currency: Currency
  readonly price: DecimalString
  readonly marketCap?: DecimalString
  /** As the provider counts it: CoinMarketCap in the currency of the quote, Kraken and Coinbase in units of the asset. */
  readonly volume24h?: DecimalString
  readonly supply?: DecimalString
  /** Per cent over 24 hours, as the provider gives it. */
  readonly change24h?: DecimalString
  /** The source's clock; where the source gives none, `receivedAt`, and `observedBy` says so. */
  readonly observedAt: EpochMicros
  readonly observedBy: 'source' | 'receiver'
  readonly receivedAt: EpochMicros
  /** Revision of the derivation: 0 for the first mapping of a body, then 1 up for each rederivation. */
  readonly revision: number
  readonly origin: Origin
  readonly runId: string
  /** Credits charged for the whole answer that this quote is part of. */
  readonly credits: Credits
  /** Outbox id of the raw body. */
  readonly rawRef: string
}

/** What happened to a quota scope, in the ledger's order. Published on `quota.events.v1`. */
export interface QuotaEvent {
  readonly kind: 'quota-event'
  /** Name of the ledger (its random id, made when the file was made). */
  readonly ledger: string
  /** 1, 2, 3 … without holes within a ledger. */
  readonly sequence: number
  readonly scope: string
  readonly provider: ProviderId
  readonly at: EpochMicros
  readonly what: QuotaEventKind
  readonly why: string
  readonly credits: number
  readonly slot?: string
  readonly window: 'minute' | 'day' | 'month' | 'none'
  readonly limit: number | null
  readonly used: number
  readonly reserved: number
  readonly resetsAt: EpochMicros | null
}

export const quotaEventKinds = [
  'opened',
  'reserved',
  'denied',
  'settled',
  'overcharged',
  'settled-unknown',
  'reaped',
  'reconciled',
  'foreign-use',
  'period-opened',
  'clock-jump',
  'frozen',
  'unfrozen',
  'limits-changed',
] as const
export type QuotaEventKind = (typeof quotaEventKinds)[number]

/** One run of a collector for one slot and how it ended. */
export interface Run {
  readonly kind: 'run'
  readonly runId: string
  readonly provider: ProviderId
  readonly dataset: string
  readonly slot: string
  readonly startedAt: EpochMicros
  readonly endedAt: EpochMicros
  readonly outcome: Outcome
  readonly reason: string
  readonly credits: number
  readonly records: number
  readonly retryAt?: EpochMicros
}

/** A message that could not be used, with its very bytes. Published on `dead-letter.v1`. */
export interface DeadLetter {
  readonly kind: 'dead-letter'
  readonly id: string
  /** `collectors` for an answer that no mapping understood, else the consumer group. */
  readonly stage: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly code: string
  readonly reason: string
  readonly at: EpochMicros
  /** The bytes, base64. */
  readonly bytes: string
  readonly headers: Readonly<Record<string, string>>
}

/** Id of a quote: its identity as text. Deterministic, so that a second delivery is the same row. */
export const quoteId = (q: Pick<Quote, 'provider' | 'asset' | 'currency' | 'observedAt'>): string =>
  `${q.provider}|${q.asset}|${q.currency}|${q.observedAt}`

/** Decides between two values of one identity: the larger wins. receivedAt in microseconds plus the revision. */
export const quoteVersion = (q: Pick<Quote, 'receivedAt' | 'revision'>): number => q.receivedAt + q.revision
