import type { BatchLimits, Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Codec } from '../core/ports/codec.ts'
import type { BatchSource, RecordSink } from '../core/ports/sink.ts'
import type { DeadLetter } from '../core/records.ts'
import type { DeadLetters } from './dead-letters.ts'

export interface DeliverOptions<R> {
  readonly broker: Broker
  readonly sink: RecordSink<R>
  readonly topic: string
  /** `sink.<name>` unless given: each sink is a group of its own; one that takes several topics has a group for each. */
  readonly group?: string
  readonly codec: Codec<R>
  readonly limits: BatchLimits
  /** Where to start, whatever the store or the group says: for what should be stored once more. */
  readonly startAt?: (topic: string, partition: number) => Promise<number | undefined>
  /** Ends the delivery after the batch in hand; `deliver` then resolves. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly deadLetters: Pick<DeadLetters, 'write'>
  readonly onEvent?: (event: DeliverEvent) => void
  /** 0 to below 1, for the jitter of pauses. */
  readonly rng?: () => number
  /** Tries of one write before the batch goes back to the broker, which gives it again after a pause. Default 5. */
  readonly maxAttempts?: number
}

/** Messages since the start of this delivery. received = written + superseded + dead once nothing is in hand or redelivered. */
export interface DeliverCounters {
  readonly received: number
  readonly written: number
  readonly superseded: number
  readonly dead: number
  readonly retried: number
}

export type DeliverEvent =
  | {
      readonly kind: 'batch-stored'
      readonly source: BatchSource
      readonly lag: number
      readonly counters: DeliverCounters
    }
  | { readonly kind: 'record-dead'; readonly letter: DeadLetter }
  | {
      readonly kind: 'write-retried'
      readonly attempt: number
      readonly pauseMs: number
      readonly error: unknown
    }
  | {
      readonly kind: 'batch-thrown-back'
      readonly topic: string
      readonly partition: number
      readonly error: unknown
    }
  /** What was thrown back is stored and committed, or the log can be read again. */
  | { readonly kind: 'recovered'; readonly topic: string; readonly partition: number }
  | {
      readonly kind: 'gap'
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
    }
