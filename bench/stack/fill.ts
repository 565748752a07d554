import kafkajs from 'kafkajs'
import type { Message } from 'kafkajs'
import type { TopicMessage } from '../../core/ports/broker.ts'
import { toKafka } from '../../topics/brokers/kafka/messages.ts'
import { partitionOf } from '../../topics/partition.ts'
import { partitions, topicName } from './settings.ts'

const recordsPerSend = 2_000

/** The topic of a prefix made anew and filled; returns the high watermark of each partition and the mean size of a value. */
export async function fillTopic(
  brokers: readonly string[],
  prefix: string,
  messages: Iterable<TopicMessage>,
): Promise<{ readonly ends: readonly number[]; readonly meanBytes: number }> {
  const kafka = new kafkajs.Kafka({
    clientId: 'fill',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.ERROR,
  })
  const topic = `${prefix}${topicName}`
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])
  try {
    const configEntries = [{ name: 'retention.ms', value: '-1' }]
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
    })
    const meanBytes = await sendAll(messages, (_, batch) =>
      producer.send({ topic, acks: -1, messages: batch }),
    )
    const ends = await admin.fetchTopicOffsets(topic)
    return { ends: ends.sort((a, b) => a.partition - b.partition).map(e => Number(e.high)), meanBytes }
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

/** The very records that the product would send. */
async function sendAll(
  messages: Iterable<TopicMessage>,
  send: (partition: number, batch: Message[]) => Promise<unknown>,
): Promise<number> {
  const waiting = Array.from({ length: partitions }, (): Message[] => [])
  let count = 0
  let bytes = 0
  for (const message of messages) {
    const partition = partitionOf(message.key, partitions)
    count += 1
    bytes += message.value?.length ?? 0
    const queue = waiting[partition] ?? []
    queue.push(toKafka(message, partition))
    if (queue.length < recordsPerSend) continue
    waiting[partition] = []
    await send(partition, queue)
  }
  await Promise.all(waiting.map((batch, p) => (batch.length > 0 ? send(p, batch) : undefined)))
  return bytes / count
}
