import { createRequire } from 'node:module'
import type { Producer } from 'kafkajs'

/**
 * Servers in memory below the real files of kafkajs: `newProducer` makes kafkajs' own producer over them. They keep partitions
 * in the way of Kafka, with the sequence numbers of idempotent producers, and fail as a test says.
 */
const load = createRequire(import.meta.url)
const createProducer = load('kafkajs/src/producer') as (options: object) => Producer
const errors = load('kafkajs/src/errors') as {
  KafkaJSConnectionClosedError: new (message: string, place: object) => Error
  KafkaJSProtocolError: new (error: object) => Error
}
const { createErrorFromCode } = load('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error
}

export const topic = 't'
const notEnoughReplicas = 19
const outOfOrder = 45

interface Entry {
  readonly partition: number
  readonly firstSequence: number
  readonly messages: readonly { readonly value: unknown }[]
}
interface Request {
  readonly producerId: number
  readonly topicData: readonly { readonly partitions: readonly Entry[] }[]
}
interface Answer {
  readonly topics: readonly {
    topicName: string
    partitions: readonly { partition: number; errorCode: number }[]
  }[]
}

export const connectionLost = (): Error =>
  new errors.KafkaJSConnectionClosedError('Closed connection', { host: 'fake', port: 1 })
export const lacksReplicas = (): Error => createErrorFromCode(notEnoughReplicas)

interface Sequence {
  first: number
  last: number
}

/** One server; `onProduce` is asked in place of it where a test wants a fault. */
export class FakeServer {
  /** What happens to each request, in their order; then all go well. */
  readonly faults: ((store: () => Answer) => Promise<Answer> | Answer)[] = []
  requests = 0
  readonly nodeId: number
  readonly #cluster: FakeCluster
  constructor(nodeId: number, cluster: FakeCluster) {
    this.nodeId = nodeId
    this.#cluster = cluster
  }
  async produce(request: Request): Promise<Answer> {
    this.requests += 1
    const fault = this.faults.shift()
    // The bytes go out before an answer is waited for.
    await Promise.resolve()
    return fault ? await fault(() => this.#cluster.store(request)) : this.#cluster.store(request)
  }
  async initProducerId(): Promise<object> {
    this.#cluster.producers += 1
    return { producerId: this.#cluster.producers, producerEpoch: 0 }
  }
}

export class FakeCluster {
  readonly log = new Map<number, string[]>()
  readonly leaders = new Map<number, FakeServer>()
  producers = 0
  /** Called when kafkajs asks for the metadata anew. */
  onRefresh: () => void = () => undefined
  readonly #sequences = new Map<string, Sequence>()

  /** Servers 1 … count; partition p is led by the p-th of `leaders`. */
  constructor(...leaders: readonly number[]) {
    const servers = new Map(leaders.map(id => [id, new FakeServer(id, this)]))
    leaders.forEach((id, partition) => {
      const server = servers.get(id)
      if (server) this.lead(partition, server)
    })
  }

  lead(partition: number, server: FakeServer): void {
    this.leaders.set(partition, server)
    if (!this.log.has(partition)) this.log.set(partition, [])
  }
  leaderOf(partition: number): FakeServer {
    const server = this.leaders.get(partition)
    if (!server) throw new Error(`partition ${partition} has no leader`)
    return server
  }
  /** Everything that is stored, partition by partition. */
  stored(): string[] {
    return [...this.log.values()].flat()
  }

  /** As a broker stores: a batch whose sequence numbers it has seen is acknowledged and not stored again. */
  store({ producerId, topicData }: Request): Answer {
    const partitions = topicData
      .flatMap(t => t.partitions)
      .map(entry => {
        const values = entry.messages.map(m => String(m.value))
        if (producerId > 0) {
          const place = `${producerId}/${entry.partition}`
          const before = this.#sequences.get(place) ?? { first: -1, last: -1 }
          const last = entry.firstSequence + values.length - 1
          if (before.first === entry.firstSequence && before.last === last)
            return { partition: entry.partition, errorCode: 0 }
          if (entry.firstSequence !== before.last + 1) throw createErrorFromCode(outOfOrder)
          this.#sequences.set(place, { first: entry.firstSequence, last })
        }
        this.log.get(entry.partition)?.push(...values)
        return { partition: entry.partition, errorCode: 0 }
      })
    return { topics: [{ topicName: topic, partitions }] }
  }

  /** kafkajs' producer over this cluster, with retries of a millisecond. */
  newProducer(
    more: {
      readonly idempotent?: boolean
      readonly retries?: number
      readonly createPartitioner?: unknown
    } = {},
  ): Producer {
    const { retries = 5, ...options } = more
    const quiet = { debug: none, info: none, warn: none, error: none }
    const logger = { ...quiet, namespace: () => quiet }
    return createProducer({
      cluster: this.#asKafkaJs(),
      logger,
      retry: { retries, initialRetryTime: 1, maxRetryTime: 2, factor: 0, multiplier: 1 },
      ...options,
    })
  }

  /** What kafkajs calls on its cluster, as of the version that was read. */
  #asKafkaJs(): object {
    const metadata = (): { partitionId: number; leader: number }[] =>
      [...this.leaders].map(([partitionId, server]) => ({ partitionId, leader: server.nodeId }))
    const refresh = async (): Promise<void> => this.onRefresh()
    const findBroker = async ({ nodeId }: { nodeId: string }): Promise<FakeServer | undefined> =>
      [...this.leaders.values()].find(s => s.nodeId === Number(nodeId))
    return {
      connect: async () => undefined,
      disconnect: async () => undefined,
      isConnected: () => true,
      removeBroker: none,
      addMultipleTargetTopics: async () => undefined,
      refreshMetadata: refresh,
      refreshMetadataIfNecessary: async () => undefined,
      findControllerBroker: async () => [...this.leaders.values()][0],
      findTopicPartitionMetadata: metadata,
      // Word for word as in kafkajs' src/cluster/index.js: a partition that is not listed is dropped.
      findLeaderForPartitions: (_topic: string, ids: readonly string[]) => {
        const result: Record<string, number[]> = {}
        for (const id of ids) {
          const found = metadata().find(p => p.partitionId === Number(id))
          if (found) result[found.leader] = [...(result[found.leader] ?? []), found.partitionId]
        }
        return result
      },
      findBroker,
    }
  }
}

const none = (): undefined => undefined
