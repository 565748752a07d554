import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker, ConsumeOptions, PartitionBatch, TopicMessage, TopicSpec } from '../core/ports/broker.ts'
import { DAY, fromEpochMs } from '../core/time.ts'
import type { VirtualClock } from '../core/virtual-clock.ts'

/** What tests of brokers and of their consumers share. */
export const start = fromEpochMs(Date.UTC(2026, 10, 21, 12))
export const topic = 'test.quotes.v1'
export const single = 'test.single.v1'
export const specs: readonly TopicSpec[] = [
  { name: topic, partitions: 3, retentionMs: DAY, maxMessageBytes: 10_000 },
  { name: single, partitions: 1, retentionMs: DAY, maxMessageBytes: 1_000 },
]
export type OpenBroker = (clock: VirtualClock, topics: readonly TopicSpec[]) => Promise<Broker>

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
