import type { StoredMessage } from '../../../core/ports/broker.ts'
import type { PartitionWorker } from './worker.ts'

/** A partition that is ours, and who works on it: until `isOpen` the worker of the time before, which still ends. */
export interface Assigned {
  readonly topic: string
  readonly partition: number
  worker: PartitionWorker | undefined
  isOpen: boolean
  ended: Promise<void>
}

/** How far a subscription came in a partition. */
export interface Done {
  /** Behind what onBatch has done. */
  readonly offset: number
  /** The newest batch of it, as long as its commit is not known. */
  readonly stored: readonly StoredMessage[] | undefined
}

export const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`
