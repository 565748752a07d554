import type { EpochMicros } from '../../core/brands.ts'
import type {
  Broker,
  ConsumeOptions,
  PartitionState,
  ReplayFrom,
  StoredMessage,
  TopicMessage,
  TopicSpec,
} from '../../core/ports/broker.ts'
import { checkSpec, placeOf, replayed } from '../place.ts'
import { KafkaAdmin } from './kafka/admin.ts'
import { chunksOf } from './kafka/chunks.ts'
import { KafkaClients } from './kafka/client.ts'
import { committedOf } from './kafka/groups.ts'
import { checkOptions } from './kafka/options.ts'
import type { KafkaOptions } from './kafka/options.ts'
import { PartitionProducer } from './kafka/producer.ts'
import type { ProducerCounts } from './kafka/producer.ts'
import { replay } from './kafka/read.ts'
import { subscribe } from './kafka/subscription.ts'
import { KafkaTopics } from './kafka/topics.ts'

export type { KafkaLogLine, KafkaOptions, LoginMechanism } from './kafka/options.ts'

/**
 * Real Kafka (3.9 and 4.x) behind the port, by kafkajs. Unlike the embedded log a `produce` that fails half-way may have
 * stored a part: the caller produces all of it again, and readers write by id. `consume` shares the partitions between the
 * members of a group.
 */
class KafkaBroker implements Broker {
  readonly #options: KafkaOptions
  readonly #clients: KafkaClients
  readonly #admin: KafkaAdmin
  readonly #topics: KafkaTopics
  readonly #producer: PartitionProducer
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  constructor(options: KafkaOptions) {
    const { clock, brokers } = options
    this.#options = options
    this.#clients = new KafkaClients(options)
    this.#admin = new KafkaAdmin(this.#clients, clock)
    this.#topics = new KafkaTopics(this.#admin, this.#clients, options)
    this.#producer = new PartitionProducer({
      makeSender: () => this.#clients.producer(),
      clock,
      servers: brokers,
    })
  }

  /** What happened to records on their way, for reports. */
  get counts(): Readonly<ProducerCounts> {
    return this.#producer.counts
  }

  /** @throws CryptosError CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED */
  async connect(): Promise<void> {
    await this.#admin.run('connect', admin => admin.describeCluster())
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const spec of topics) checkSpec({ ...spec, name: this.#clients.nameOf(spec.name) })
    if (topics.length > 0) await this.#topics.apply(topics)
  }

  async produce(messages: readonly TopicMessage[]): Promise<void> {
    const targets = []
    for (const message of messages) {
      const known = this.#topics.cached(message.topic) ?? (await this.#topics.find(message.topic))
      const partition = placeOf(message, known?.spec)
      targets.push({ topic: known?.name ?? '', partition, batchBytes: known?.batchBytes ?? 0 })
    }
    await this.#producer.send(...chunksOf(messages, targets))
  }

  async consume(options: ConsumeOptions): Promise<void> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const ports = {
      clients: this.#clients,
      admin: this.#admin,
      topics: this.#topics,
      clock: this.#options.clock,
      holds: (topic: string, partition: number, from: number, to: number) =>
        this.#holds({ topic, partition, begin: from, end: to }),
    }
    const running = subscribe(ports, { ...options, signal })
    this.#running.add(running)
    await running.finally(() => this.#running.delete(running))
  }

  async *read(topic: string, from: ReplayFrom): AsyncIterable<StoredMessage> {
    yield* this.#replay(topic, replayed(await this.partitions(topic), from), from)
  }

  /** Whether the log holds a record between the two ends. */
  async #holds(state: PartitionState): Promise<boolean> {
    for await (const _ of this.#replay(state.topic, [state], { offset: state.begin })) return true
    return false
  }

  #replay(topic: string, states: readonly PartitionState[], from: ReplayFrom): AsyncIterable<StoredMessage> {
    const { clock } = this.#options
    return replay({ clients: this.#clients, clock, signal: this.#closing.signal, topic, states, from })
  }

  async partitions(topic: string): Promise<readonly PartitionState[]> {
    return await this.#topics.states(topic)
  }

  async committed(group: string): ReturnType<Broker['committed']> {
    return await committedOf(this.#admin, this.#clients, group)
  }

  /**
   * Nothing: the servers do it, by the retention.ms of each topic. A host whose clock is wrong must never delete what the
   * others still have to read.
   */
  async applyRetention(_now: EpochMicros): Promise<number> {
    return 0
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await this.#producer.close()
    await this.#admin.close()
  }
}

/**
 * Opens Kafka: connects once, so that a wrong address or login is told here.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED
 */
export async function openKafkaBroker(
  options: KafkaOptions,
): Promise<Broker & { readonly counts: Readonly<ProducerCounts> }> {
  checkOptions(options)
  const broker = new KafkaBroker(options)
  try {
    await broker.connect()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
