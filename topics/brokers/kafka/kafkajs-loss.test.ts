import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../host/clock.ts'
import { FakeCluster, connectionLost, lacksReplicas, topic } from './fake-cluster.contract.ts'
import { PartitionProducer } from './producer.ts'

/**
 * The ways in which kafkajs loses or doubles records, each first shown on kafkajs alone (so that the rule goes when the defect
 * goes), then on our producer over the same kafkajs and the same fault.
 */
const m = (value: string, partition?: number) => ({
  value,
  ...(partition === undefined ? {} : { partition }),
})
const plain = { acks: -1, topic }

function ours(cluster: FakeCluster, deadlineMs = 5_000): PartitionProducer {
  return new PartitionProducer({
    makeSender: () =>
      cluster.newProducer({
        retries: 2,
        createPartitioner: () => (call: { message: { partition?: number } }) => call.message.partition ?? -1,
      }),
    clock: systemClock,
    servers: ['fake:1'],
    deadlineMs,
  })
}
const chunk = (partition: number, ...values: string[]) => ({
  topic,
  partition,
  messages: values.map(value => m(value, partition)),
})

async function kafkaJs(cluster: FakeCluster, options: Parameters<FakeCluster['newProducer']>[0] = {}) {
  const producer = cluster.newProducer(options)
  await producer.connect()
  return producer
}

/** p0 on server 1, p1 on server 2; server 1 dies with the request, and server 2 leads both. */
function s1(): FakeCluster {
  const cluster = new FakeCluster(1, 2)
  cluster.leaderOf(0).faults.push(async () => {
    cluster.lead(0, cluster.leaderOf(1))
    // Server 2 has answered by now.
    await sleep(5)
    throw connectionLost()
  })
  return cluster
}

describe('S1: a leader dies while another server has answered', () => {
  it('kafkajs acknowledges a partition that it never sent again', async () => {
    const cluster = s1()
    const producer = await kafkaJs(cluster)
    const answer = await producer.send({ ...plain, messages: [m('a', 0), m('b', 1)] })
    expect(answer.map(a => a.partition)).toEqual([1])
    expect(cluster.stored()).toEqual(['b'])
  })
  it('our producer stores both', async () => {
    const cluster = s1()
    const producer = ours(cluster)
    await Promise.all([producer.send(chunk(0, 'a')), producer.send(chunk(1, 'b'))])
    expect(cluster.log.get(0)).toEqual(['a'])
    expect(cluster.log.get(1)).toEqual(['b'])
    await producer.close()
  })
})

/** Four partitions on two servers; the first request to server 1 finds too few copies, once. */
function s2(): FakeCluster {
  const cluster = new FakeCluster(1, 1, 2, 2)
  cluster.leaderOf(0).faults.push(async () => {
    await sleep(5)
    throw lacksReplicas()
  })
  return cluster
}

describe('S2: kafkajs chooses the partition, and one server refuses once', () => {
  const values = Array.from({ length: 10 }, (_, i) => `v${i}`)
  it('kafkajs loses some records and doubles others, without a change of leaders', async () => {
    const cluster = s2()
    const producer = await kafkaJs(cluster)
    const answer = await producer.send({ ...plain, messages: values.map(v => m(v)) })
    expect(answer).toHaveLength(4)
    const stored = cluster.stored()
    expect(new Set(stored).size).toBeLessThan(values.length)
    expect(stored.length).toBeGreaterThan(new Set(stored).size)
  })
  it('our producer stores each once', async () => {
    const cluster = s2()
    const producer = ours(cluster)
    const chunks = [0, 1, 2, 3].map(p => chunk(p, ...values.filter((_, i) => i % 4 === p)))
    await Promise.all(chunks.map(c => producer.send(c)))
    expect(new Set(cluster.stored())).toEqual(new Set(values))
    expect(cluster.stored()).toHaveLength(values.length)
    await producer.close()
  })
})

describe('S3: a partition that the metadata do not list yet', () => {
  it('kafkajs resolves with nothing, and stores nothing', async () => {
    const cluster = new FakeCluster(1)
    const producer = await kafkaJs(cluster)
    expect(await producer.send({ ...plain, messages: [m('a', 7)] })).toEqual([])
    expect(cluster.stored()).toEqual([])
  })
  it('our producer sends again until it is there', async () => {
    const cluster = new FakeCluster(1)
    const producer = ours(cluster)
    const sent = producer.send(chunk(7, 'a'))
    await sleep(20)
    expect(producer.counts).toMatchObject({ emptyAnswers: 1, acknowledged: 0 })
    cluster.lead(7, cluster.leaderOf(0))
    await sent
    expect(cluster.log.get(7)).toEqual(['a'])
    expect(producer.counts).toMatchObject({ acknowledged: 1, resent: 1 })
    await producer.close()
  })
  it('our producer rejects at the deadline', async () => {
    const producer = ours(new FakeCluster(1), 150)
    await expect(producer.send(chunk(7, 'a'))).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    expect(producer.counts.acknowledged).toBe(0)
    await producer.close()
  })
})

/** Server 1 is slow; server 2 refuses at once, the first time. */
function s4(): FakeCluster {
  const cluster = new FakeCluster(1, 2)
  cluster.leaderOf(0).faults.push(async store => {
    await sleep(20)
    return store()
  })
  cluster.leaderOf(1).faults.push(() => {
    throw lacksReplicas()
  })
  return cluster
}

describe('S4: one server refuses while the request to another is on its way', () => {
  it('kafkajs sends to both again with a new sequence: stored twice although idempotent', async () => {
    const cluster = s4()
    const producer = await kafkaJs(cluster, { idempotent: true })
    const sent = producer.send({ ...plain, messages: [m('a', 0), m('b', 1)] })
    await sent.catch(() => undefined)
    await sleep(50)
    expect(cluster.leaderOf(0).requests).toBeGreaterThan(1)
    expect(cluster.log.get(0)).toEqual(['a', 'a'])
  })
  it('our producer sends only what was refused', async () => {
    const cluster = s4()
    const producer = ours(cluster)
    await Promise.all([producer.send(chunk(0, 'a')), producer.send(chunk(1, 'b'))])
    expect(cluster.leaderOf(0).requests).toBe(1)
    expect(cluster.stored()).toEqual(['a', 'b'])
    await producer.close()
  })
})

/** The first request is stored, but its answer is lost. */
function s5(): FakeCluster {
  const cluster = new FakeCluster(1)
  cluster.leaderOf(0).faults.push(store => {
    store()
    throw connectionLost()
  })
  return cluster
}

describe('S5: an answer is lost while another send of the partition waits', () => {
  it('kafkajs gives the waiting batch the sequence of the first: acknowledged, never stored, although idempotent', async () => {
    const cluster = s5()
    const producer = await kafkaJs(cluster, { idempotent: true })
    const send = (...values: string[]) => producer.send({ ...plain, messages: values.map(v => m(v, 0)) })
    await Promise.all([send('a0', 'a1'), send('b0', 'b1')])
    expect(cluster.stored()).toEqual(['a0', 'a1', 'a0', 'a1'])
  })
  it('our producer loses none and keeps the order; the batch without an answer is stored twice', async () => {
    const cluster = s5()
    const producer = ours(cluster)
    await Promise.all([producer.send(chunk(0, 'a0', 'a1')), producer.send(chunk(0, 'b0', 'b1'))])
    expect(cluster.stored()).toEqual(['a0', 'a1', 'a0', 'a1', 'b0', 'b1'])
    await producer.close()
  })
})

/** The first request is stored, but no answer comes through for as long as kafkajs tries. */
function s6(lost: number): FakeCluster {
  const cluster = new FakeCluster(1)
  cluster.leaderOf(0).faults.push(store => {
    store()
    throw connectionLost()
  })
  for (let i = 1; i < lost; i += 1)
    cluster.leaderOf(0).faults.push(() => {
      throw connectionLost()
    })
  return cluster
}

describe('S6: a send is rejected although it was stored, and the caller goes on', () => {
  it('kafkajs acknowledges the next batch of that size and does not store it, although idempotent', async () => {
    const cluster = s6(2)
    const producer = await kafkaJs(cluster, { idempotent: true, retries: 1 })
    await expect(producer.send({ ...plain, messages: [m('a', 0)] })).rejects.toThrow()
    const answer = await producer.send({ ...plain, messages: [m('c', 0)] })
    expect(answer).toMatchObject([{ partition: 0, errorCode: 0 }])
    expect(cluster.stored()).toEqual(['a'])
  })
  it('our producer sends the rejected batch again, unchanged, before anything behind it', async () => {
    const cluster = s6(4)
    const producer = ours(cluster)
    await Promise.all([producer.send(chunk(0, 'a')), producer.send(chunk(0, 'c'))])
    expect(cluster.stored()).toEqual(['a', 'a', 'c'])
    expect(producer.counts).toMatchObject({ acknowledged: 2, resent: 1 })
    await producer.close()
  })
})
