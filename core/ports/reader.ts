import type { AssetId, DecimalString, EpochMicros, ProviderId } from '../brands.ts'
import type { Currency, MarketRecord, Origin, QuotaEvent, Quote, Run, SourceFlag } from '../records.ts'
import type { ScopeStatus } from './ledger.ts'

export interface LatestPrice {
  readonly provider: ProviderId
  readonly asset: AssetId
  readonly symbol: string
  readonly currency: Currency
  readonly price: DecimalString
  readonly observedAt: EpochMicros
  readonly receivedAt: EpochMicros
  readonly origin: Origin
}

export interface HistoryQuery {
  readonly asset: AssetId
  readonly currency: Currency
  readonly provider?: ProviderId
  /** [from, to) */
  readonly from: EpochMicros
  readonly to: EpochMicros
  /** Wanted width of a point; the reader takes the nearest roll-up that is not finer. */
  readonly stepMs: number
}

export interface HistoryPoint {
  readonly provider: ProviderId
  /** Start of the bucket. */
  readonly time: EpochMicros
  readonly open: DecimalString
  readonly high: DecimalString
  readonly low: DecimalString
  readonly close: DecimalString
  readonly count: number
}

export interface History {
  /** Width that was used. */
  readonly stepMs: number
  readonly points: readonly HistoryPoint[]
}

/** One stored change. `id` grows with every commit; a client that saw `id` asks for what came after. */
export interface LiveEvent {
  readonly id: number
  readonly prices: readonly LatestPrice[]
}

/**
 * Reads what a sink stored, never scanning raw rows for a view. Implement it over a connection of its own that can not write.
 * Formatting and caching for HTTP are not your job.
 */
export interface QuoteReader {
  latest(filter?: { readonly asset?: AssetId; readonly currency?: Currency }): Promise<readonly LatestPrice[]>
  history(query: HistoryQuery): Promise<History>
  /** Changes with `id > after`, oldest first; `after` undefined = none, only the newest id matters. */
  changes(after: number, limit: number): Promise<readonly LiveEvent[]>
  newestChange(): Promise<number>
  /** Oldest change id that is still kept: a client behind it must load anew. */
  oldestChange(): Promise<number>
  /** Raw rows of an hour range for audit and export, in the order provider, asset, currency, observedAt. */
  rows(range: {
    readonly from: EpochMicros
    readonly to: EpochMicros
    readonly provider?: ProviderId
    readonly asset?: AssetId
  }): AsyncIterable<Quote>
  close(): Promise<void>
}

/** One provider on the screens: collected from, or the reason why not. */
export interface SourceView {
  readonly provider: ProviderId
  readonly title: string
  readonly doc: string
  readonly isOn: boolean
  /** One sentence; null = it is on. */
  readonly why: string | null
  /** Date since when a closed source is off; else null. */
  readonly offSince: string | null
  readonly access: 'keyed' | 'keyless' | 'none'
  /** Of its prices; null = none that was asked for. */
  readonly currency: Currency | null
  readonly datasets: readonly string[]
  /** What the provider's terms want to stand beside its data; null = nothing. */
  readonly attribution: string | null
}

export type MarketKind = MarketRecord['kind']
export type MarketRecordOf<K extends MarketKind> = Extract<MarketRecord, { readonly kind: K }>

/** A record without such a field does not match: a metric has no asset, a consensus no provider; of a serving it is who serves. */
export interface MarketFilter {
  readonly provider?: ProviderId
  readonly asset?: AssetId
  readonly currency?: Currency
}

export interface MarketRange<K extends MarketKind> extends MarketFilter {
  readonly kind: K
  /** [from, to) of the moment that a record is about: `marketRecordAt`. */
  readonly from: EpochMicros
  readonly to: EpochMicros
}

export interface MarketQuery<K extends MarketKind> extends MarketRange<K> {
  readonly limit: number
  /** Default `newest`: the newest first, the oldest beyond the limit left out; `oldest` = in time order. */
  readonly first?: 'newest' | 'oldest'
}

/** Reads the records beside quotes. Implement it over a connection of its own that can not write. */
export interface MarketReader {
  records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]>
  /** In time order, in pages, for audit and export. */
  allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>>
  /** The newest record of each series (identity without its time) by the moment it is about; only live and sandbox ones, as of prices. */
  latestRecords<K extends MarketKind>(kind: K, filter?: MarketFilter): Promise<readonly MarketRecordOf<K>[]>
  /** Every doubt about the quotes of a range of observedAt, in time order: joined with rows by `quoteId`. */
  flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]>
}

/**
 * Finds rows by their keys, wherever in time they lie: many at once, in as few questions as the store needs, and never one row that was
 * not asked for. A key that is not stored is no error; the order is the store's own.
 */
export interface KeyReader {
  /** Rows of one series at some of its moments (`observedAt`). */
  rowsAt(
    series: Pick<Quote, 'provider' | 'asset' | 'currency'>,
    moments: Iterable<EpochMicros>,
  ): AsyncIterable<Quote>
  /** Records by `marketRecordId`. */
  recordsOf(ids: Iterable<string>): AsyncIterable<MarketRecord>
}

/** What the screens show besides prices. */
export interface StatusReader {
  quota(): Promise<readonly ScopeStatus[]>
  quotaEvents(limit: number): Promise<readonly QuotaEvent[]>
  runs(limit: number): Promise<readonly Run[]>
  /** Every provider of this version, on or off. */
  sources(): readonly SourceView[]
  /** Names of everything that is wrong, each with one sentence; empty = healthy. */
  problems(): Promise<readonly { readonly name: string; readonly what: string }[]>
}

/** Wakes views up after a commit. Implement it to call back soon after every commit, at least once for many. */
export interface ChangeFeed {
  /** Returns the function that stops it. */
  onChange(callback: () => void): () => void
}
