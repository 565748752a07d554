import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pkg from 'kafkajs'
import type { Admin } from 'kafkajs'
import type { Broker, TopicSpec } from '../../../core/ports/broker.ts'
import { MINUTE, addMs } from '../../../core/time.ts'
import { systemClock } from '../../../host/clock.ts'
import type { BrokerRig } from '../../harness.contract.ts'
import { openKafkaBroker } from '../kafka.ts'
import type { KafkaOptions } from './options.ts'

/** What tests against real servers share. */
export const newPrefix = (): string => `t${randomBytes(5).toString('hex')}.`

export const openReal = (brokers: readonly string[], more: Partial<KafkaOptions> = {}) =>
  openKafkaBroker({
    brokers,
    topicPrefix: newPrefix(),
    replication: 1,
    minInsyncReplicas: 1,
    clock: systemClock,
    ...more,
  })

export async function realUntil(condition: () => boolean, what: string, limitMs = 60_000): Promise<void> {
  const endMs = systemClock.monotonicMs() + limitMs
  while (!condition()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`never happened: ${what}`)
    await sleep(5)
  }
}

export async function withAdmin<T>(
  brokers: readonly string[],
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new pkg.Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** The servers' own retention runs each few minutes; here its effect is made at once, by the retention that they know. */
async function retain(
  brokers: readonly string[],
  prefix: string,
  broker: Broker,
  now: number,
): Promise<number> {
  return await withAdmin(brokers, async admin => {
    let removed = 0
    for (const name of (await admin.listTopics()).filter(t => t.startsWith(prefix))) {
      const resources = [{ type: pkg.ConfigResourceTypes.TOPIC, name, configNames: ['retention.ms'] }]
      const { resources: found } = await admin.describeConfigs({ includeSynonyms: false, resources })
      const oldest = now - Number(found[0]?.configEntries[0]?.configValue) * 1_000
      const topic = name.slice(prefix.length)
      const ends = new Map((await broker.partitions(topic)).map(p => [p.partition, p.begin]))
      for await (const m of broker.read(topic, { offset: 0 }))
        if (m.timestamp < oldest && ends.get(m.partition) === m.offset) ends.set(m.partition, m.offset + 1)
      for (const { partition, begin } of await broker.partitions(topic)) {
        const end = ends.get(partition) ?? begin
        if (end === begin) continue
        removed += end - begin
        await admin.fetchTopicMetadata({ topics: [name] })
        await admin.fetchTopicOffsets(name)
        await admin.deleteTopicRecords({ topic: name, partitions: [{ partition, offset: String(end) }] })
      }
    }
    return removed
  })
}

/** The rig of a real server: its clock is the real one. `prefix` is the one of the broker that is open. */
export function realRig(brokers: readonly string[], prefix: () => string): BrokerRig {
  return {
    clock: systemClock,
    start: addMs(systemClock.now(), -10 * MINUTE),
    age: { maxAgeMs: 4_000, lateShare: 0.5 },
    tellsMissingPartitions: true,
    isStill: false,
    pass: async durationMs => void (await sleep(durationMs)),
    moments: async () => void (await sleep(50)),
    until: realUntil,
    retain: (broker, now) => retain(brokers, prefix(), broker, now),
  }
}

export const oneTopic = (name: string, partitions: number): TopicSpec => ({
  name,
  partitions,
  retentionMs: 86_400_000,
  maxMessageBytes: 10_000,
})
