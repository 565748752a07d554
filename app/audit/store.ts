import type { EpochMicros } from '../../core/brands.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import type { AuditReader } from './read-rows.ts'

/** Writes records into a store again; each call resolves when they are durable. */
export interface Repairer {
  quotes(quotes: readonly Quote[]): Promise<void>
  market(records: readonly MarketRecord[]): Promise<void>
  close(): Promise<void>
}

/** A store that is audited. */
export interface AuditStore {
  readonly name: string
  readonly reader: AuditReader
  /** Its consumer group of a topic. */
  readonly groupOf: (topic: string) => string
  /** Whether it keeps bars and latest prices beside its rows: only such can differ from them. */
  readonly hasBars: boolean
  /** What was received before may be gone by its time to live; absent = nothing is. */
  readonly receivedFrom?: EpochMicros
  /** What is about moments before may be gone, or was never taken, by its retention policy; absent = nothing is. */
  readonly observedFrom?: EpochMicros
  /** For `audit --repair`. Opened only when something is to be written. */
  readonly openRepairer?: () => Promise<Repairer>
}
