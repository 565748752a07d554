import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type {
  Broker,
  ConsumeOptions,
  PartitionState,
  ReplayFrom,
  StoredMessage,
  TopicMessage,
  TopicSpec,
} from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { consumeLog } from '../consume.ts'
import { checkSpec, placeOf, replayed } from '../place.ts'
import { Wakes } from '../wakes.ts'

export interface MemoryBrokerOptions {
  readonly clock: Clock
  readonly topics?: readonly TopicSpec[]
}

interface Partition {
  begin: number
  messages: StoredMessage[]
}
interface Topic {
  spec: TopicSpec
  readonly partitions: readonly Partition[]
}

/** A broker for tests and dry runs: the same rules as any other, gone with the process. */
class MemoryBroker implements Broker {
  readonly wakes = new Wakes()
  readonly #clock: Clock
  readonly #topics = new Map<string, Topic>()
  readonly #offsets = new Map<string, Map<string, { topic: string; partition: number; offset: number }>>()
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  constructor(clock: Clock) {
    this.#clock = clock
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    topics.forEach(checkSpec)
    for (const spec of topics) {
      const there = this.#topics.get(spec.name)
      if (there) there.spec = { ...spec, partitions: there.spec.partitions }
      else this.#topics.set(spec.name, { spec, partitions: newPartitions(spec.partitions) })
    }
  }

  async produce(messages: readonly TopicMessage[]): Promise<void> {
    const placed = messages.map(m => ({ m, partition: placeOf(m, this.#topics.get(m.topic)?.spec) }))
    for (const { m, partition } of placed) {
      const log = this.#partition(m.topic, partition)
      log.messages.push({ ...m, partition, offset: log.begin + log.messages.length })
    }
    this.wakes.wake()
  }

  async consume(options: ConsumeOptions): Promise<void> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const running = consumeLog(this, { ...options, signal }, this.#clock)
    this.#running.add(running)
    await running.finally(() => this.#running.delete(running))
  }

  async *read(topic: string, from: ReplayFrom): AsyncIterable<StoredMessage> {
    for (const { partition, end } of replayed(this.states(topic), from)) {
      const { messages } = this.#partition(topic, partition)
      const kept = messages.filter(m => m.offset < end)
      const first =
        'offset' in from
          ? kept.findIndex(m => m.offset >= from.offset)
          : kept.findIndex(m => m.timestamp >= from.time)
      if (first >= 0) yield* kept.slice(first)
    }
  }

  async partitions(topic: string): Promise<readonly PartitionState[]> {
    return this.states(topic)
  }

  async committed(group: string): ReturnType<Broker['committed']> {
    return [...(this.#offsets.get(group)?.values() ?? [])]
  }

  async applyRetention(now: EpochMicros): Promise<number> {
    let removed = 0
    for (const { spec, partitions } of this.#topics.values())
      for (const log of partitions) {
        const oldest = now - spec.retentionMs * 1_000
        const firstKept = log.messages.findIndex(m => m.timestamp >= oldest)
        const gone = firstKept < 0 ? log.messages.length : firstKept
        log.messages = log.messages.slice(gone)
        log.begin += gone
        removed += gone
      }
    return removed
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
  }

  states(topic: string): readonly PartitionState[] {
    return this.#topic(topic).partitions.map((log, partition) => ({
      topic,
      partition,
      begin: log.begin,
      end: log.begin + log.messages.length,
    }))
  }

  fetch(topic: string, partition: number, offset: number, limit: number): readonly StoredMessage[] {
    const log = this.#partition(topic, partition)
    const from = Math.max(0, offset - log.begin)
    return log.messages.slice(from, from + limit)
  }

  committedOffset(group: string, topic: string, partition: number): number | undefined {
    return this.#offsets.get(group)?.get(`${topic}/${partition}`)?.offset
  }

  async commit(group: string, topic: string, partition: number, offset: number): Promise<void> {
    const offsets = this.#offsets.get(group) ?? new Map()
    this.#offsets.set(group, offsets)
    if (offset > (this.committedOffset(group, topic, partition) ?? -1))
      offsets.set(`${topic}/${partition}`, { topic, partition, offset })
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name)
    if (!topic) throw new CryptosError('CRY_RECORD_INVALID', `no such topic: ${JSON.stringify(name)}`)
    return topic
  }

  #partition(topic: string, partition: number): Partition {
    const log = this.#topic(topic).partitions[partition]
    if (!log) throw new CryptosError('CRY_RECORD_INVALID', `${topic} has no partition ${partition}`)
    return log
  }
}

const newPartitions = (count: number): readonly Partition[] =>
  Array.from({ length: count }, () => ({ begin: 0, messages: [] }))

/** Opens an empty broker in memory. */
export async function openMemoryBroker(options: MemoryBrokerOptions): Promise<Broker> {
  const broker = new MemoryBroker(options.clock)
  await broker.createTopics(options.topics ?? [])
  return broker
}
