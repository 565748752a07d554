import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../../core/ports/broker.ts'
import {
  killServer,
  restartServer,
  stackServers,
  stopServer,
  wakeServer,
} from '../../../test/stack/servers.ts'
import { newPrefix, oneTopic, openReal, realUntil } from './real.contract.ts'
import { Reading, Traffic } from './traffic.contract.ts'

const { brokers } = stackServers().kafka
const topic = 'r'
const server = 'kafka'

/** Each fault is seen to have happened, and then everything is read within 30 s of its end, with nobody's help. */
describe('a subscription at Kafka recovers by itself', () => {
  let prefix = ''
  let broker: Broker & { readonly counts: { readonly resent: number } }
  let reading = new Reading()
  let traffic: Traffic
  let consumer: { stop(): Promise<void> }
  beforeEach(async () => {
    prefix = newPrefix()
    broker = await openReal(brokers, { topicPrefix: prefix })
    await broker.createTopics([oneTopic(topic, 4)])
    reading = new Reading()
    consumer = reading.subscribe(broker, topic)
    traffic = new Traffic(broker, topic)
    await realUntil(() => reading.distinct > 200, 'records flow')
  })
  afterEach(async () => {
    await traffic.stop()
    await consumer.stop()
    await broker.close()
  })

  /** Stops the traffic and expects all of it, in order, and the group's offset behind the last record of each partition. */
  async function expectAll(what: string): Promise<void> {
    await traffic.stop()
    const tookMs = await reading.hasAll(broker, topic, traffic)
    expect(reading.gaps).toEqual([])
    await realUntilCommitted()
    console.info(
      `${what}: ${traffic.acknowledged.size} acknowledged, ${reading.distinct} in the log, ` +
        `${reading.delivered - reading.distinct} delivered again, ${broker.counts.resent} sent again, ` +
        `${traffic.rejected} rejected, longest produce ${Math.round(traffic.longestMs)} ms, ` +
        `all read ${Math.round(tookMs)} ms after the end`,
    )
  }
  async function realUntilCommitted(): Promise<void> {
    const ends = await broker.partitions(topic)
    let lacking = ends.length
    for (let i = 0; i < 100 && lacking > 0; i += 1) {
      const committed = await broker.committed('readers')
      lacking = ends.filter(
        e => (committed.find(c => c.partition === e.partition)?.offset ?? 0) !== e.end,
      ).length
      if (lacking > 0) await sleep(100)
    }
    expect(lacking).toBe(0)
  }
  const flowsAgain = async (): Promise<void> => {
    const before = reading.distinct
    await realUntil(() => reading.distinct > before + 200, 'records flow again', 30_000)
  }

  it('from members that come and go', async () => {
    const other = new Reading()
    const second = await openReal(brokers, { topicPrefix: prefix })
    for (let round = 0; round < 3; round += 1) {
      const had = other.delivered
      const guest = other.subscribe(second, topic, {
        onBatch: async batch => {
          other.take(batch.messages)
          reading.take(batch.messages)
        },
      })
      await realUntil(() => other.delivered > had + 100, 'the second member gets its share')
      await guest.stop()
      await flowsAgain()
    }
    await second.close()
    await expectAll('3 members came and went')
    expect(other.distinct).toBeGreaterThan(0)
  })

  it('from members that come and go, where a start was asked for: it is obeyed once', async () => {
    await consumer.stop()
    reading = new Reading()
    consumer = reading.subscribe(broker, topic, { startAt: async () => 5 })
    await realUntil(() => reading.distinct > 200, 'records flow')
    const second = await openReal(brokers, { topicPrefix: prefix })
    for (let round = 0; round < 2; round += 1) {
      const other = new Reading()
      // It does nothing that is kept: whatever it got comes to the first again, and nothing else does.
      const guest = other.subscribe(second, topic, {
        onBatch: async batch => {
          other.take(batch.messages)
          throw new Error('not stored')
        },
      })
      await realUntil(() => other.delivered > 0, 'the second member gets its share')
      await guest.stop()
      await flowsAgain()
    }
    await second.close()
    await traffic.stop()
    const ends = await broker.partitions(topic)
    const all = ends.reduce((sum, e) => sum + e.end - 5, 0)
    await realUntil(() => reading.distinct === all, 'all is read', 30_000)
    expect(reading.delivered).toBe(all)
    expect(reading.gaps).toEqual([])
  })

  it('from a broker that is restarted', async () => {
    await restartServer(server)
    await flowsAgain()
    await expectAll('orderly restart')
  })

  it('from a broker that is killed', async () => {
    await killServer(server)
    const had = traffic.acknowledged.size
    await sleep(2_000)
    expect(traffic.acknowledged.size).toBeLessThanOrEqual(had + 40)
    await restartServer(server)
    await flowsAgain()
    expect(broker.counts.resent).toBeGreaterThan(0)
    await expectAll('kill -9')
  })

  it('from a broker that hangs, which is told within 10 s', async () => {
    await stopServer(server)
    const had = reading.distinct
    await realUntil(() => reading.errors > 0, 'the silence is told', 12_000)
    await sleep(5_000)
    expect(reading.distinct).toBeLessThan(had + 500)
    await wakeServer(server)
    await flowsAgain()
    expect(reading.recovered).toBeGreaterThan(0)
    await expectAll('hung for 13 s')
  })
})

describe('a sink that is out for longer than the session', () => {
  it('does not cost the membership: the very same batch comes until it is done, the other partitions go on', async () => {
    const broker = await openReal(brokers)
    await broker.createTopics([oneTopic(topic, 4)])
    const traffic = new Traffic(broker, topic)
    const reading = new Reading()
    const tries: string[] = []
    let isOut = true
    const consumer = reading.subscribe(broker, topic, {
      onBatch: async batch => {
        if (batch.partition === 2 && isOut) {
          tries.push(`${batch.messages[0]?.offset}+${batch.messages.length}`)
          // Half of the time it hangs, half it fails at once.
          if (tries.length === 1) await sleep(13_000)
          throw new Error('the sink is out')
        }
        reading.take(batch.messages)
      },
    })
    await realUntil(() => tries.length > 0, 'the sink is out')
    const others = reading.distinct
    await sleep(18_000)
    expect(reading.distinct).toBeGreaterThan(others + 500)
    expect(tries.length).toBeGreaterThan(3)
    expect(new Set(tries).size).toBe(1)
    isOut = false
    await realUntil(() => reading.recovered > 0, 'the sink is back')
    await traffic.stop()
    await reading.hasAll(broker, topic, traffic)
    // Nobody left the group, so nothing came twice.
    expect(reading.delivered).toBe(reading.distinct)
    expect(reading.overtaken).toBe(0)
    await consumer.stop()
    await broker.close()
  })
})
