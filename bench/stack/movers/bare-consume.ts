import kafkajs from 'kafkajs'
import type { KafkaMessage } from 'kafkajs'
import type { Moved, MoverTask } from './mover.ts'

const silent = { logLevel: kafkajs.logLevel.ERROR }

/**
 * The plain loop of kafkajs that everyone would write: eachBatch, 4 MB a partition, 4 partitions at once, slices; after each slice
 * resolve, commit, heartbeat. No validation, no dead letters. Resolves when every partition is committed to its end.
 */
export async function bareConsume(
  task: MoverTask,
  write: (messages: readonly KafkaMessage[]) => Promise<void>,
): Promise<Moved> {
  const kafka = new kafkajs.Kafka({ clientId: 'bare', brokers: [...task.brokers], ...silent })
  const consumer = kafka.consumer({
    groupId: `${task.topicPrefix}${task.group}`,
    // It beats only between two slices.
    sessionTimeout: 60_000,
    rebalanceTimeout: 120_000,
    maxBytesPerPartition: 4 * 1_024 * 1_024,
    maxBytes: 16 * 1_024 * 1_024,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [`${task.topicPrefix}${task.topic}`], fromBeginning: true })
  let rows = 0
  const done = new Set(task.ends.flatMap((end, partition) => (end === 0 ? [partition] : [])))
  await new Promise<void>((resolve, reject) => {
    // The first group of a fresh cluster crashes once and joins again by itself.
    consumer.on(consumer.events.CRASH, ({ payload }) => (payload.restart ? undefined : reject(payload.error)))
    void consumer.run({
      autoCommit: true,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({
        batch,
        resolveOffset,
        commitOffsetsIfNecessary,
        uncommittedOffsets,
        heartbeat,
      }) => {
        for (let at = 0; at < batch.messages.length; at += task.sliceRows) {
          const slice = batch.messages.slice(at, at + task.sliceRows)
          await write(slice)
          rows += slice.length
          const last = slice.at(-1)?.offset ?? '0'
          resolveOffset(last)
          await commitOffsetsIfNecessary(uncommittedOffsets())
          await heartbeat()
          if (Number(last) + 1 >= (task.ends[batch.partition] ?? 0)) done.add(batch.partition)
          if (done.size === task.ends.length) resolve()
        }
      },
    })
  })
  return { rows, close: () => consumer.disconnect() }
}
