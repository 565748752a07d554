import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker, ConsumeOptions, PartitionBatch, TopicMessage, TopicSpec } from '../core/ports/broker.ts'
import type { EpochMicros } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import { DAY, fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'

/** What tests of brokers and of their consumers share. */
export const start = fromEpochMs(Date.UTC(2026, 10, 21, 12))
export const topic = 'test.quotes.v1'
export const single = 'test.single.v1'
export const specs: readonly TopicSpec[] = [
  { name: topic, partitions: 3, retentionMs: DAY, maxMessageBytes: 10_000 },
  { name: single, partitions: 1, retentionMs: DAY, maxMessageBytes: 1_000 },
]
export type OpenBroker = (clock: Clock, topics: readonly TopicSpec[]) => Promise<Broker>

/** How time and retention come about where a contract is run; made anew for each test. */
export interface BrokerRig {
  readonly clock: Clock
  /** The date of messages: a server may refuse or remove those that are far from its own clock. */
  readonly start: EpochMicros
  /** The age of a batch in the test about ages, and which part of it a late record may come after. */
  readonly age: { readonly maxAgeMs: number; readonly lateShare: number }
  /** Whether a topic that lacks partitions is told, or kept as it is without a word. */
  readonly tellsMissingPartitions: boolean
  /** Whether nothing happens between two lines of a test. */
  readonly isStill: boolean
  pass(durationMs: number): Promise<void>
  /** Some moments in which whatever is begun may go on. */
  moments(): Promise<void>
  until(condition: () => boolean, what: string): Promise<void>
  /** Makes retention happen as of `now`; returns how many records it took. */
  retain(broker: Broker, now: EpochMicros): Promise<number>
}

/** For brokers that live by the clock they are given. */
export function virtualRig(): BrokerRig {
  const clock = new VirtualClock(start)
  return {
    clock,
    start,
    age: { maxAgeMs: 500, lateShare: 0.8 },
    tellsMissingPartitions: false,
    isStill: true,
    pass: async durationMs => {
      clock.advance(durationMs)
      await turns(2)
    },
    moments: () => turns(50),
    until,
    retain: (broker, now) => broker.applyRetention(now),
  }
}

const utf8 = new TextEncoder()

export const message = (
  key: string,
  text: string | null,
  more: Partial<TopicMessage> = {},
): TopicMessage => ({
  topic: single,
  key,
  value: text === null ? null : utf8.encode(text),
  headers: { schema: 'test' },
  timestamp: start,
  ...more,
})
export const textOf = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value)

/** Turns of the event loop until it is true: no clock is involved, so a fault shows as a clear failure and not as a race. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 5_000; turn += 1) {
    if (condition()) return
    await nextTurn()
  }
  throw new Error(`never happened: ${what}`)
}

/** A subscription whose batches are kept, with an end. */
export function subscribe(broker: Broker, more: Partial<ConsumeOptions> = {}) {
  const batches: PartitionBatch[] = []
  const end = new AbortController()
  const done = broker.consume({
    group: 'test',
    topics: [single],
    limits: { maxRecords: 100, maxBytes: 100_000, maxAgeMs: 0 },
    signal: end.signal,
    onBatch: async batch => {
      batches.push(batch)
    },
    ...more,
  })
  const stop = async (): Promise<void> => {
    end.abort()
    await done
  }
  const texts = (): (string | null)[] => batches.flatMap(b => b.messages.map(m => textOf(m.value)))
  return { batches, texts, stop, done }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await nextTurn()
}
