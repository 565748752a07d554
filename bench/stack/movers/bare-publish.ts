import kafkajs from 'kafkajs'
import type { Message } from 'kafkajs'
import type { TopicMessage } from '../../../core/ports/broker.ts'
import { partitionOf } from '../../../topics/partition.ts'
import { partitions, topicName } from '../settings.ts'
import { runMover } from './mover.ts'
import { publish } from './publish.ts'

/** By the same rule without any check: partition by the key, one partition per send, all at once, the next call after the answers. */
await runMover(async ({ brokers, topicPrefix, sliceRows }) => {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.ERROR })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const topic = `${topicPrefix}${topicName}`
  const send = async (messages: readonly TopicMessage[]): Promise<void> => {
    const groups = Array.from({ length: partitions }, (): Message[] => [])
    for (const message of messages) {
      const partition = partitionOf(message.key, partitions)
      groups[partition]?.push(recordOf(message, partition))
    }
    await Promise.all(groups.map(group => producer.send({ topic, acks: -1, messages: group })))
  }
  return await publish(sliceRows, send, () => producer.disconnect())
})

/** The same record as the product's: with the microseconds that Kafka's own timestamp does not have. */
function recordOf({ key, value, headers, timestamp }: TopicMessage, partition: number): Message {
  const bytes = value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const micros = String(timestamp % 1_000)
  const timestampMs = String(Math.floor(timestamp / 1_000))
  return {
    key,
    value: bytes,
    headers: { ...headers, 'cryptos-micros': micros },
    partition,
    timestamp: timestampMs,
  }
}
