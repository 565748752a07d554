import { afterEach, beforeEach, expect } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import type { Broker, TopicMessage } from '../core/ports/broker.ts'
import type { BatchSource, QuoteSink, StoreResult } from '../core/ports/sink.ts'
import type { Quote } from '../core/records.ts'
import { fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { turns } from '../topics/harness.contract.ts'
import { quoteMessage } from '../topics/messages.ts'
import { topicTable, usedTopics } from '../topics/table.ts'
import { openDeadLetters } from './dead-letters.ts'
import type { DeadLetters } from './dead-letters.ts'
import { deliver } from './deliver.ts'
import type { DeliverEvent, DeliverOptions } from './deliver.ts'
import { quote } from './sink.contract.ts'

export const start = fromEpochMs(Date.UTC(2026, 10, 21, 12))
export const table = topicTable()
export const topic = table.quotes.name

/** A sink whose next answers a test decides; what it took is in `rows`. */
export class FakeSink implements QuoteSink {
  readonly name: string = 'fake'
  readonly rows: Quote[] = []
  readonly sources: BatchSource[] = []
  fail: (quotes: readonly Quote[]) => unknown = () => undefined
  async write(quotes: readonly Quote[], source: BatchSource): Promise<StoreResult> {
    const error = this.fail(quotes)
    if (error !== undefined) throw error
    this.rows.push(...quotes)
    this.sources.push(source)
    return { written: quotes.length, superseded: 0 }
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

export const nth = (i: number): Quote => quote({ observedAt: EpochMicros(start + i) })
export const good = (i: number): TopicMessage => quoteMessage(topic, nth(i))
export const utf8 = new TextEncoder()

export let clock = new VirtualClock(start)
export let broker: Broker
export let letters: DeadLetters
export let sink = new FakeSink()
export let events: DeliverEvent[] = []
/** To be called once in each test file. */
export function useDelivery(): void {
  beforeEach(async () => {
    clock = new VirtualClock(start)
    // One partition and room for 5 MB, so that offsets and order are plain and poison of any size gets in.
    const topics = usedTopics(table).map(t => ({ ...t, partitions: 1, maxMessageBytes: 16 * 1_024 * 1_024 }))
    broker = await openMemoryBroker({ clock, topics })
    letters = openDeadLetters({ broker, topic: table.deadLetters.name, clock })
    sink = new FakeSink()
    events = []
  })
  afterEach(() => broker.close())
}

export function run(more: Partial<DeliverOptions<Quote>> = {}) {
  const end = new AbortController()
  const done = deliver({
    broker,
    sink,
    topic,
    codec: quoteJson,
    limits: { maxRecords: 100, maxBytes: 100_000_000, maxAgeMs: 0 },
    signal: end.signal,
    clock,
    deadLetters: letters,
    onEvent: event => events.push(event),
    rng: () => 0,
    ...more,
  })
  // A test that expects the error awaits `done` itself.
  done.catch(() => undefined)
  const stop = async () => {
    end.abort()
    return await done
  }
  return { done, stop }
}
export const committed = async (group = 'sink.fake'): Promise<number | undefined> =>
  (await broker.committed(group)).find(c => c.topic === topic)?.offset
/** Moves the clock until it is true. */
export async function later(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i += 1) {
    clock.advance(100)
    await turns(3)
  }
  expect(condition(), what).toBe(true)
}
export const kinds = (): string[] => events.map(e => e.kind)
