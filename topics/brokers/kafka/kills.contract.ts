import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { kill, restart } from '../../../scripts/stack/stack.ts'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import { textOf } from '../../harness.contract.ts'
import { newPrefix, oneTopic, openReal, realUntil, withAdmin } from './real.contract.ts'
import { Reading, Traffic } from './traffic.contract.ts'

const topic = 'kills'
const servers = ['kafka', 'kafka-2', 'kafka-3']

/** Leaders go back soon, so that each kill hits a server that leads a third of the partitions. */
const kafka = {
  'auto.leader.rebalance.enable': 'true',
  'leader.imbalance.check.interval.seconds': '3',
  'leader.imbalance.per.broker.percentage': '0',
}

/**
 * Three servers, 12 partitions, two copies that acknowledge: each server in turn is killed with -9 while records flow, and comes
 * back. Then the log is read: every acknowledged id must be in it, and a subscription must have had every record.
 */
export async function surviveKills(kills: number): Promise<void> {
  const stack = await throwAwayStack({ servers: ['kafka'], brokers: 3, settings: { kafka } })
  try {
    const { brokers } = stack.addresses.kafka
    const prefix = newPrefix()
    const broker = await openReal(brokers, { topicPrefix: prefix, replication: 3, minInsyncReplicas: 2 })
    await broker.createTopics([oneTopic(topic, 12)])
    const reading = new Reading()
    const consumer = reading.subscribe(broker, topic)
    const traffic = new Traffic(broker, topic, { batch: 100, pauseMs: 30 })
    await realUntil(() => reading.distinct > 1_000, 'records flow')
    let killed = 0
    while (killed < kills) {
      const name = servers[killed % servers.length] ?? ''
      await kill(stack.folder, name, 'SIGKILL')
      killed += 1
      await sleep(2_000)
      await restart(stack.folder, name)
      await allCopies(brokers, `${prefix}${topic}`)
    }
    await traffic.stop()
    const stored = new Map<string, number>()
    for await (const { value } of broker.read(topic, { offset: 0 })) {
      const id = textOf(value) ?? ''
      stored.set(id, (stored.get(id) ?? 0) + 1)
    }
    const lost = [...traffic.acknowledged].filter(id => !stored.has(id))
    const records = [...stored.values()].reduce((sum, n) => sum + n, 0)
    console.info(
      `kills ${killed}, acknowledged ${traffic.acknowledged.size}, stored ${stored.size}, ` +
        `duplicates ${records - stored.size}, lost ${lost.length}, sent again ${broker.counts.resent}, ` +
        `empty answers ${broker.counts.emptyAnswers}, produce rejected ${traffic.rejected}, ` +
        `longest produce ${Math.round(traffic.longestMs)} ms, delivered ${reading.delivered}`,
    )
    expect(killed).toBe(kills)
    // The kills were felt: a call waited for a new leader, by our tries or by those inside of kafkajs.
    expect(traffic.longestMs).toBeGreaterThan(1_000)
    expect(lost).toEqual([])
    await reading.hasAll(broker, topic, traffic, 60_000)
    expect(reading.gaps).toEqual([])
    await consumer.stop()
    await broker.close()
  } finally {
    await stack.stop()
  }
}

/** Waits until every partition has its three copies and each server leads some: only then does the next kill hit. */
async function allCopies(brokers: readonly string[], name: string): Promise<void> {
  for (const giveUpAt = performance.now() + 180_000; performance.now() < giveUpAt; ) {
    const whole = await withAdmin(brokers, async admin => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
      const partitions = topics[0]?.partitions ?? []
      const leaders = new Set(partitions.map(p => p.leader))
      return partitions.length === 12 && partitions.every(p => p.isr.length === 3) && leaders.size === 3
    }).catch(() => false)
    if (whole) return
    await sleep(500)
  }
  throw new Error('the copies did not come back')
}
