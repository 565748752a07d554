import { CryptosError, classify } from '../../../core/errors.ts'
import type { PartitionState, ReplayFrom, StoredMessage } from '../../../core/ports/broker.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'
import { isOutOfRange, kafkaError } from './errors.ts'
import { fetchedBatch } from './internals.ts'
import type { Cluster } from './internals.ts'
import { fromKafka } from './messages.ts'
import { atMost } from '../../../core/waiting.ts'

const MIB = 1_024 * 1_024
const maxFailures = 8
const maxEmpty = 20
const readCommitted = 1

export interface ReplayOptions {
  readonly clients: KafkaClients
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly topic: string
  readonly states: readonly PartitionState[]
  readonly from: ReplayFrom
}

/** Reads partitions one after the other, from the place to the given ends. Without a group: nothing of it stays on the servers. */
export async function* replay(options: ReplayOptions): AsyncIterable<StoredMessage> {
  const reader = new Reader(options)
  try {
    for (const state of options.states) yield* reader.readPartition(state)
  } finally {
    await reader.close()
  }
}

interface Page {
  readonly messages: readonly StoredMessage[]
  readonly next: number
}

class Reader {
  readonly #options: ReplayOptions
  readonly #name: string
  #cluster: Cluster | undefined
  constructor(options: ReplayOptions) {
    this.#options = options
    this.#name = options.clients.nameOf(options.topic)
  }

  async *readPartition(state: PartitionState): AsyncIterable<StoredMessage> {
    const { from } = this.#options
    const asked = 'offset' in from ? from.offset : await this.#since(state, from.time)
    let next = Math.max(asked, state.begin)
    // The server finds the millisecond; what lies before in it is passed over.
    let early = 'time' in from
    let empty = 0
    while (next < state.end) {
      const page = await this.#page(state.partition, next)
      for (const message of page.messages) {
        early &&= 'time' in from && message.timestamp < from.time
        if (!early && message.offset < state.end) yield message
      }
      empty = page.next > next ? 0 : empty + 1
      if (empty > maxEmpty)
        throw new CryptosError(
          'CRY_SERVER_UNREACHABLE',
          `${this.#name}/${state.partition} gives no more records`,
        )
      next = page.next
    }
  }

  async close(): Promise<void> {
    const cluster = this.#cluster
    this.#cluster = undefined
    if (cluster) await atMost(2 * SECOND, cluster.disconnect(), this.#options.clock)
  }

  async #since({ partition, end }: PartitionState, time: number): Promise<number> {
    const asked = { topic: this.#name, partitions: [{ partition }], fromTimestamp: Math.floor(time / 1_000) }
    const [found] = await this.#tried(cluster => cluster.fetchTopicsOffset([asked]))
    const offset = Number(found?.partitions[0]?.offset ?? -1)
    return offset < 0 ? end : offset
  }

  async #page(partition: number, offset: number): Promise<Page> {
    try {
      return await this.#tried(cluster => this.#fetch(cluster, partition, offset))
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      // Retention took it meanwhile: on with what is left.
      const asked = { topic: this.#name, partitions: [{ partition }], fromBeginning: true }
      const [found] = await this.#tried(cluster => cluster.fetchTopicsOffset([asked]))
      const begin = Number(found?.partitions[0]?.offset ?? -1)
      if (begin <= offset)
        throw new CryptosError('CRY_OFFSET_OUT_OF_RANGE', `${this.#name} was made anew while it was read`)
      return { messages: [], next: begin }
    }
  }

  async #fetch(cluster: Cluster, partition: number, offset: number): Promise<Page> {
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(this.#name, [partition]))
    if (nodeId === undefined)
      throw new CryptosError('CRY_SERVER_UNREACHABLE', `${this.#name}/${partition} has no leader`)
    const node = await cluster.findBroker({ nodeId })
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: MIB }]
    const { responses } = await node.fetch({
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: MIB,
      isolationLevel: readCommitted,
      topics: [{ topic: this.#name, partitions }],
    })
    const data = responses[0]?.partitions[0]
    // Nothing came in time: asked again. kafkajs would say that all up to the end was read.
    if (!data || data.messages.length === 0) return { messages: [], next: offset }
    const batch = fetchedBatch(this.#name, String(offset), data)
    const messages = batch.messages.map(m => fromKafka(this.#options.topic, partition, m))
    return { messages, next: Math.max(offset, Number(batch.lastOffset()) + 1) }
  }

  /** Leaders move and servers restart: asked again for a while, on new connections. */
  async #tried<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const { clients, clock, signal } = this.#options
    for (let failures = 1; ; failures += 1) {
      try {
        signal.throwIfAborted()
        return await work(await this.#connected())
      } catch (error) {
        const told = kafkaError(error, `read ${this.#name}`, clients.servers)
        const reaction = classify(told)
        if (reaction === 'stop' || failures >= maxFailures || signal.aborted || isOutOfRange(error))
          throw told
        await this.close()
        await clock.sleep(Math.min(2 * SECOND, 100 * 2 ** failures), signal)
      }
    }
  }

  async #connected(): Promise<Cluster> {
    if (this.#cluster) return this.#cluster
    const cluster = this.#options.clients.cluster()
    this.#cluster = cluster
    await cluster.connect()
    await cluster.addTargetTopic(this.#name)
    return cluster
  }
}
