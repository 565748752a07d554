import { ProviderId } from './brands.ts'
import type { AssetId, Credits, DecimalString, EpochMicros } from './brands.ts'
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

/** Figures of a whole market that are stored, by their names. */
export const metricNames = [
  'total-market-cap',
  'total-volume-24h',
  'altcoin-market-cap',
  'defi-market-cap',
  'stablecoin-market-cap',
  'bitcoin-dominance',
  'ethereum-dominance',
  'assets',
  'exchanges',
  'markets',
] as const
export type MetricName = (typeof metricNames)[number]

/** One figure of a whole market, as one provider said it. Identity: provider, name, currency, observedAt. Percentages are per cent, counts whole. */
export interface Metric {
  readonly kind: 'metric'
  readonly provider: ProviderId
  readonly name: MetricName
  /** Absent for counts and percentages. */
  readonly currency?: Currency
  readonly value: DecimalString
  readonly observedAt: EpochMicros
  readonly observedBy: 'source' | 'receiver'
  readonly receivedAt: EpochMicros
  readonly revision: number
  readonly origin: Origin
  readonly runId: string
  readonly credits: Credits
  readonly rawRef: string
}

export const gapStates = [
  'missing',
  'denied',
  'failed',
  'provider-down',
  'frozen',
  'collected',
  'backfilled',
] as const
export type GapState = (typeof gapStates)[number]

/** A value that was expected and did not come. Identity: provider, dataset, asset, currency, expectedAt. */
export interface Gap {
  readonly kind: 'gap'
  readonly provider: ProviderId
  readonly dataset: string
  readonly asset: AssetId
  readonly sourceId: string
  readonly currency: Currency
  /** Start of the slot's period. */
  readonly expectedAt: EpochMicros
  readonly state: GapState
  readonly reason: string
  readonly receivedAt: EpochMicros
  readonly revision: number
  readonly origin: Origin
  readonly runId: string
  readonly rawRef: string
}

/** What may be wrong with a value although the answer was good; see docs/explanation/source-sanity.md. */
export const flagKinds = [
  'frozen-value',
  'wrong-currency',
  'unit-jump',
  'outlier',
  'stale-clock',
  'silent-deprecation',
  'changed-json',
  'divergence',
] as const
export type FlagKind = (typeof flagKinds)[number]

/** One doubt about one quote (or, for `divergence`, one consensus). Identity: that of the quote, and the flag. */
export interface SourceFlag {
  readonly kind: 'source-flag'
  readonly provider: ProviderId
  readonly asset: AssetId
  readonly currency: Currency
  /** Of the quote. */
  readonly observedAt: EpochMicros
  readonly flag: FlagKind
  /** Since when the source shows it without a break. */
  readonly since: EpochMicros
  /** One sentence with the figures. */
  readonly evidence: string
  readonly receivedAt: EpochMicros
  readonly origin: Origin
}

/** Provider of the row that shows a consensus: no source, and no provider of the registry. */
export const consensusProvider = ProviderId('consensus')

/** A source in a consensus. */
export interface ConsensusSource {
  readonly provider: ProviderId
  readonly price: DecimalString
  readonly observedAt: EpochMicros
  readonly ageMs: number
  /** Why the source does not count; null = it counts. */
  readonly excluded: string | null
}

/** Median of the live sources at one moment. Identity: asset, currency, at. */
export interface Consensus {
  readonly kind: 'consensus'
  readonly asset: AssetId
  readonly symbol: string
  readonly currency: Currency
  /** Start of the minute. */
  readonly at: EpochMicros
  /** Median of the sources that count. */
  readonly price: DecimalString
  /** Median absolute deviation of the sources that count, in the currency. */
  readonly mad: DecimalString
  /** (highest - lowest) / median of the sources that count, per cent. */
  readonly spreadPercent: DecimalString
  /** Whether the spread is beyond the limit. */
  readonly isDivergent: boolean
  /** Every source with a value, the excluded ones too; in the order of their names. */
  readonly sources: readonly ConsensusSource[]
  /** When it was worked out. */
  readonly receivedAt: EpochMicros
  readonly origin: Origin
}

/** Which source serves a role at one moment, and why the ones before it do not. Identity: role, asset, currency, at. */
export interface Serving {
  readonly kind: 'serving'
  readonly role: 'spot'
  readonly asset: AssetId
  readonly currency: Currency
  /** Start of the minute. */
  readonly at: EpochMicros
  /** null = no source is fit. */
  readonly provider: ProviderId | null
  readonly price: DecimalString | null
  readonly observedAt: EpochMicros | null
  readonly skipped: readonly { readonly provider: ProviderId; readonly why: string }[]
  readonly receivedAt: EpochMicros
  readonly origin: Origin
}

/** Everything beside quotes that is stored by its identity. */
export type MarketRecord = Metric | Gap | SourceFlag | Consensus | Serving

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
  'paused',
  'limits-changed',
] as const
export type QuotaEventKind = (typeof quotaEventKinds)[number]

/** One run of a collector for one slot and how it ended; `<provider>/<dataset>/<period>` stands for a sweep that ended before any page. */
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
  /** For whom it ran, where somebody was named: `<name>/<run>`, such as an Airflow DAG and its run. */
  readonly spender?: string
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

/** Id of any other record of the market: its identity as text. */
export function marketRecordId(r: MarketRecord): string {
  switch (r.kind) {
    case 'metric':
      return `metric|${r.provider}|${r.name}|${r.currency ?? ''}|${r.observedAt}`
    case 'gap':
      return `gap|${r.provider}|${r.dataset}|${r.asset}|${r.currency}|${r.expectedAt}`
    case 'source-flag':
      return `flag|${quoteId(r)}|${r.flag}`
    case 'consensus':
      return `consensus|${r.asset}|${r.currency}|${r.at}`
    case 'serving':
      return `serving|${r.role}|${r.asset}|${r.currency}|${r.at}`
  }
}

/** The moment a record is about. */
export function marketRecordAt(r: MarketRecord): EpochMicros {
  if (r.kind === 'metric' || r.kind === 'source-flag') return r.observedAt
  return r.kind === 'gap' ? r.expectedAt : r.at
}

/** Decides between two values of one identity: the larger wins. */
export const marketRecordVersion = (r: MarketRecord): number =>
  r.receivedAt + ('revision' in r ? r.revision : 0)
