import type { EpochMicros } from '../brands.ts'
import type { MarketRecord, Quote } from '../records.ts'

/** Where a batch came from; a sink that keeps its own position stores `end` with the rows. */
export interface BatchSource {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly first: number
  /** Offset after the last message of the batch, dead ones counted. */
  readonly end: number
}

export interface StoreResult {
  readonly written: number
  /** Same identity with a newer or equal version was there already. */
  readonly superseded: number
}

/**
 * Stores records of one kind. Implement it so that `write` resolves when all rows are durable in this store, writing the same rows
 * twice changes nothing, and an older version never overwrites a newer one. Retrying, batching and committing offsets are not your job.
 */
export interface RecordSink<R> {
  readonly name: string
  write(records: readonly R[], source: BatchSource): Promise<StoreResult>
  /** Set where the offset lives in the rows' own transaction. undefined = nothing stored yet. */
  position?(group: string, topic: string, partition: number): Promise<number | undefined>
  close(): Promise<void>
}

/** Version of a quote: `quoteVersion`. */
export type QuoteSink = RecordSink<Quote>
/** Everything beside quotes, by `marketRecordId` and `marketRecordVersion`. */
export interface MarketSink extends RecordSink<MarketRecord> {
  /** Removes records of these kinds about moments before; the newest of each series stays. Returns how many. */
  prune(kinds: readonly MarketRecord['kind'][], before: EpochMicros): Promise<number>
}
