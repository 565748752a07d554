import { expect, it } from 'vitest'
import { systemClock } from '../../../host/clock.ts'
import { stackServers } from '../../../test/stack/servers.ts'
import { message } from '../../harness.contract.ts'
import { newPrefix, oneTopic, openReal, realUntil, withAdmin } from './real.contract.ts'
import { Reading } from './traffic.contract.ts'

const { brokers } = stackServers().kafka
const topic = 'slow'
const text = 'x'.repeat(5_000)

it('a subscription that is slower than the retention is told the gap, and goes on at the first record that is left', async () => {
  const prefix = newPrefix()
  const broker = await openReal(brokers, { topicPrefix: prefix })
  await broker.createTopics([oneTopic(topic, 1)])
  // More than the subscription takes into memory.
  for (let i = 0; i < 600; i += 100)
    await broker.produce(
      Array.from({ length: 100 }, (_, k) =>
        message(`${i + k}`, text, { topic, timestamp: systemClock.now() }),
      ),
    )
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const reading = new Reading()
  const offsets: number[] = []
  const consumer = reading.subscribe(broker, topic, {
    onBatch: async batch => {
      begun.resolve()
      await gate.promise
      reading.take(batch.messages)
      offsets.push(...batch.messages.map(m => m.offset))
    },
  })
  await begun.promise
  // What fits into memory beside the first batch is fetched.
  await new Promise(resolve => setTimeout(resolve, 3_000))
  await withAdmin(brokers, async admin => {
    await admin.fetchTopicMetadata({ topics: [`${prefix}${topic}`] })
    await admin.fetchTopicOffsets(`${prefix}${topic}`)
    await admin.deleteTopicRecords({
      topic: `${prefix}${topic}`,
      partitions: [{ partition: 0, offset: '590' }],
    })
  })
  gate.resolve()
  await realUntil(() => offsets.at(-1) === 599, 'the rest is read', 30_000)
  await consumer.stop()
  const from = offsets.findIndex((offset, i) => offset !== i)
  expect(from).toBeGreaterThan(100)
  expect(from).toBeLessThan(590)
  expect(reading.gaps).toEqual([{ topic, partition: 0, from, to: 590 }])
  expect(offsets.slice(from)).toEqual(Array.from({ length: 10 }, (_, i) => 590 + i))
  expect(await broker.committed('readers')).toEqual([{ topic, partition: 0, offset: 600 }])
  await broker.close()
})
