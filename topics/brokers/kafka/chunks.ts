import type { TopicMessage } from '../../../core/ports/broker.ts'
import { messageBytes } from '../../messages.ts'
import { toKafka } from './messages.ts'
import type { PartitionChunk } from './producer.ts'

/** kafkajs copies what it has for each message it groups: calls of more records become slower for each of them. */
const maxRecords = 500
/** What Kafka adds to a record, at most: lengths, offsets and names of headers. */
const recordOverhead = 100

/** Where a message goes, by its name on the servers. */
export interface Target {
  readonly topic: string
  readonly partition: number
  /** What one send may hold. */
  readonly batchBytes: number
}

/** Cuts messages into chunks of one partition each, keeping the order inside each partition. */
export function chunksOf(
  messages: readonly TopicMessage[],
  targets: readonly Target[],
): readonly PartitionChunk[] {
  const open = new Map<
    string,
    { chunk: PartitionChunk & { messages: ReturnType<typeof toKafka>[] }; bytes: number }
  >()
  const chunks: PartitionChunk[] = []
  messages.forEach((message, index) => {
    const target = targets[index]
    if (!target) return
    const { topic, partition, batchBytes } = target
    const place = `${topic}/${partition}`
    const bytes = messageBytes(message) + recordOverhead
    let at = open.get(place)
    if (!at || at.chunk.messages.length >= maxRecords || at.bytes + bytes > batchBytes) {
      at = { chunk: { topic, partition, messages: [] }, bytes: 0 }
      open.set(place, at)
      chunks.push(at.chunk)
    }
    at.chunk.messages.push(toKafka(message, partition))
    at.bytes += bytes
  })
  return chunks
}
