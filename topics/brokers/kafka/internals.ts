import { createRequire } from 'node:module'
import type { Batch, KafkaMessage, Logger, logCreator as LogCreator } from 'kafkajs'

/**
 * The parts of kafkajs that it does not export, with the types that we rely on. Its version is pinned to the one they were
 * read in; `internals.test.ts` fails when that changes.
 */
const load = createRequire(import.meta.url)

export const readInVersion = '2.2.4'
export const kafkaJsVersion = (): string =>
  (load('kafkajs/package.json') as { readonly version: string }).version

interface PartitionData {
  readonly partition: number
  readonly highWatermark: string
  readonly messages: readonly KafkaMessage[]
}
/** A connection to one server. */
export interface Node {
  fetch(request: {
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[]
    }[]
  }): Promise<{
    readonly responses: readonly {
      readonly topicName: string
      readonly partitions: readonly PartitionData[]
    }[]
  }>
}
/** A server that leads a group. */
interface Coordinator {
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
}
/** What knows the servers and who leads which partition. */
export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findBroker(place: { readonly nodeId: string }): Promise<Node>
  findGroupCoordinator(group: { readonly groupId: string }): Promise<Coordinator>
  findLeaderForPartitions(
    topic: string,
    partitions: readonly number[],
  ): Readonly<Record<string, readonly number[]>>
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number }[]
      readonly fromBeginning?: boolean
      readonly fromTimestamp?: number
    }[],
  ): Promise<
    readonly {
      readonly topic: string
      readonly partitions: readonly { partition: number; offset: string }[]
    }[]
  >
}

/** A cluster without a group, as `new Kafka()` makes one for itself. */
export function newCluster(
  config: Readonly<Record<string, unknown>> & { logCreator: LogCreator; logLevel: number },
): Cluster {
  const ClusterClass = load('kafkajs/src/cluster') as new (options: object) => Cluster
  const socketFactory = load('kafkajs/src/network/socketFactory') as () => unknown
  const { createLogger } = load('kafkajs/src/loggers') as {
    createLogger: (options: { level: number; logCreator: LogCreator }) => Logger
  }
  const logger = createLogger({ level: config.logLevel, logCreator: config.logCreator })
  return new ClusterClass({
    ...config,
    logger,
    socketFactory: socketFactory(),
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    offsets: new Map(),
  })
}

/** A fetched piece of a partition without control records and without what lies before the offset that was asked for. */
export function fetchedBatch(topic: string, offset: string, data: PartitionData): Batch {
  const BatchClass = load('kafkajs/src/consumer/batch') as new (
    topic: string,
    offset: string,
    data: PartitionData,
  ) => Batch
  return new BatchClass(topic, offset, data)
}

/** The offset that a batch was asked for, which may lie before or behind its first record. kafkajs' types lack it. */
export const fetchedAt = (batch: Batch): number =>
  Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset)
