import type { EpochMicros } from '../brands.ts'

/** One row of the topic table. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly retentionMs: number
  readonly maxMessageBytes: number
}

export interface TopicMessage {
  readonly topic: string
  /** Decides the partition, so that one key keeps its order. */
  readonly key: string
  /** null = tombstone. */
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string>>
  readonly timestamp: EpochMicros
}

/** A broker may read its parts when they are asked for: take them by name, a spread or a clone has none of them. */
export interface StoredMessage extends TopicMessage {
  readonly partition: number
  readonly offset: number
}

export interface PartitionBatch {
  readonly topic: string
  readonly partition: number
  /** In offset order, at least one. */
  readonly messages: readonly StoredMessage[]
  /** Offset after the newest message of the partition. */
  readonly end: number
}

export interface ConsumeOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** A batch closes at the first of these. */
  readonly limits: BatchLimits
  /** Ends the subscription; `consume` then resolves. */
  readonly signal: AbortSignal
  /**
   * Where the caller's own store says to go on; undefined = the group's committed offset, else the beginning. It decides at the
   * first assignment of a partition within one consume() call: at a later one (the group was divided anew, the servers were
   * away) it is asked again, but the subscription never goes back behind what it has done, so a constant is a good answer.
   */
  readonly startAt?: (topic: string, partition: number) => Promise<number | undefined>
  /** The offset after the batch is committed when this resolves, and only then. A throw redelivers the batch after a pause. */
  readonly onBatch: (batch: PartitionBatch, signal: AbortSignal) => Promise<void>
  /** Told after the offset behind the batch was committed. */
  readonly onCommitted?: (batch: PartitionBatch) => void
  /** Told about a throw of onBatch, and about a read that failed (the batch is without messages then), before the pause. */
  readonly onError?: (error: unknown, batch: PartitionBatch) => void
  /** Told after onError, as soon as the partition's batch is committed or its log can be read again. */
  readonly onRecovered?: (place: { readonly topic: string; readonly partition: number }) => void
  /** Told when retention removed records that this group had not read. The subscription goes on at the first that is left. */
  readonly onGap?: (gap: {
    readonly topic: string
    readonly partition: number
    readonly from: number
    readonly to: number
  }) => void
}

export interface BatchLimits {
  readonly maxRecords: number
  readonly maxBytes: number
  /** Of its first record. What lags behind a log that has the rest may wait longer for a full batch: at most a second. */
  readonly maxAgeMs: number
}

export interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** First offset that is kept. */
  readonly begin: number
  /** Offset after the newest. */
  readonly end: number
}

/** Where a replay starts in each partition, or in the only one that is read. */
export type ReplayFrom = ({ readonly offset: number } | { readonly time: EpochMicros }) & {
  readonly partition?: number
}

/**
 * A partitioned, replayable log. Implement it to resolve `produce` only when the records are durable and in order per key,
 * and to deliver at least once, in order within a partition, from the beginning for a new group. Encoding, validation,
 * dead letters and de-duplication are not your job.
 */
export interface Broker {
  /** Makes topics that are missing, changes retention; never deletes. Idempotent. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  /** @throws CryptosError CRY_RECORD_INVALID for an unknown topic or a message over the topic's size: then none of the batch is stored */
  produce(messages: readonly TopicMessage[]): Promise<void>
  consume(options: ConsumeOptions): Promise<void>
  /** From the given place to the end as it was at the call, partition by partition. */
  read(topic: string, from: ReplayFrom): AsyncIterable<StoredMessage>
  partitions(topic: string): Promise<readonly PartitionState[]>
  committed(
    group: string,
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]>
  /** Removes what is older than each topic's retention. Returns how many. */
  applyRetention(now: EpochMicros): Promise<number>
  close(): Promise<void>
}
