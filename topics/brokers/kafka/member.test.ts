import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConsumeOptions } from '../../../core/ports/broker.ts'
import { turns, until } from '../../harness.contract.ts'
import { FakeGroup, topic } from './fake-consumer.contract.ts'
import { startOf } from './start.ts'
import { subscribe } from './subscription.ts'

describe('a subscription and its members', () => {
  let group = new FakeGroup()
  let read: number[] = []
  let told: string[] = []
  let gaps: unknown[] = []
  let over = new AbortController()
  let done: Promise<void> = Promise.resolve()
  beforeEach(() => {
    group = new FakeGroup()
    read = []
    told = []
    gaps = []
  })
  afterEach(async () => {
    over.abort()
    for (let i = 0; i < 3; i += 1) await group.pass(4)
    await done.catch(() => undefined)
  })

  /** Subscribes, and waits until the partition is open. */
  async function begin(more: Partial<ConsumeOptions> = {}): Promise<void> {
    over = new AbortController()
    done = subscribe(group.ports, {
      group: 'g',
      topics: [topic],
      limits: { maxRecords: 10, maxBytes: 10_000, maxAgeMs: 0 },
      signal: over.signal,
      onBatch: async batch => void read.push(...batch.messages.map(m => m.offset)),
      onError: error => told.push(String((error as { code?: string }).code)),
      onRecovered: () => told.push('well'),
      onGap: gap => gaps.push(gap),
      ...more,
    })
    done.catch(() => undefined)
    await until(() => group.consumers.length > 0 && group.consumer.seeks.length > 0, 'it is open')
  }
  const sought = (): readonly number[] => group.consumers.flatMap(c => c.seeks)

  it('asks the caller where to start, and is not led back by the same answer when the group is divided anew', async () => {
    group.committed = 50
    await begin({ startAt: async () => 3 })
    await group.consumer.fetched(3, 3, 9)
    await until(() => read.length === 7, 'read')
    group.consumer.join()
    await until(() => sought().length === 2, 'open again')
    expect(sought()).toEqual([3, 10])
    // Away and back: what another member did meanwhile is read again, nothing of ours.
    group.consumer.join(false)
    await turns(20)
    group.consumer.join()
    await until(() => sought().length === 3, 'open once more')
    expect(sought()).toEqual([3, 10, 10])
    expect(gaps).toEqual([])
  })

  it('is not led back by it in the life of the next member either, nor told of a gap that is none', async () => {
    await begin({ startAt: async () => 3 })
    await group.consumer.fetched(3, 3, 9)
    await until(() => read.length === 7, 'read')
    group.begin = 8
    group.consumer.emit('crash', { payload: { error: new Error('lost') } })
    await group.pass(5)
    await until(() => group.consumers.length === 2 && group.consumer.seeks.length > 0, 'a new member')
    expect(sought()).toEqual([3, 10])
    expect(gaps).toEqual([])
  })

  it('goes on where an own store is ahead', async () => {
    let own = 3
    await begin({ startAt: async () => own })
    await group.consumer.fetched(3, 3, 9)
    await until(() => read.length === 7, 'read')
    own = 40
    group.consumer.join()
    await until(() => sought().length === 2, 'open again')
    expect(sought()).toEqual([3, 40])
  })

  it('tells a silence, and its end by whatever comes first, without a new division', async () => {
    await begin()
    await group.pass(10)
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE'])
    group.consumer.emit('fetch')
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE', 'well'])
    await group.pass(10)
    group.consumer.emit('heartbeat')
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE', 'well', 'CRY_SERVER_UNREACHABLE', 'well'])
    expect(group.consumers).toHaveLength(1)
  })

  it('begins anew where fetches are answered and the group does not hear who fetches', async () => {
    await begin()
    const second = async (isHeard: boolean): Promise<void> => {
      await group.pass(1)
      group.consumer.emit('fetch')
      if (isHeard) group.consumer.emit('heartbeat')
    }
    for (let i = 0; i < 30; i += 1) await second(i % 5 === 0)
    expect(told).toEqual([])
    expect(group.consumers).toHaveLength(1)
    for (let i = 0; i < 16 && told.length === 0; i += 1) await second(false)
    // What was under way is answered while it is given up: nothing is well by that.
    const sofar = [...told]
    group.consumers[0]?.emit('fetch')
    expect(told).toEqual(sofar)
    await group.pass(5)
    expect(group.consumers).toHaveLength(2)
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE', 'well'])
  })

  it('begins anew where the group goes on and does not take its commits', async () => {
    await begin()
    const seconds = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        group.consumer.emit('heartbeat')
        await group.pass(1)
      }
    }
    group.isLeader = false
    await group.consumer.fetched(0, 0, 4)
    await until(() => read.length === 5, 'read')
    await seconds(5)
    group.isLeader = true
    await seconds(5)
    expect(group.committed).toBe(5)
    expect(told).toEqual([])
    group.isLeader = false
    await group.consumer.fetched(5, 5, 9)
    for (let i = 0; i < 20 && group.consumers.length === 1; i += 1) await seconds(1)
    group.isLeader = true
    await seconds(3)
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE', 'well'])
    // What was done and not committed is committed by the next one before it has a batch, and not read again.
    expect(group.committed).toBe(10)
    await group.consumer.fetched(10, 10, 11)
    await until(() => group.committed === 12, 'committed')
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('does not take a commit for done of which kafkajs says nothing', async () => {
    await begin()
    group.isLeader = false
    await group.consumer.fetched(0, 0, 4)
    await until(() => read.length === 5, 'read')
    // Before its batch is committed the member ends; the next one's consumer ends too, and kafkajs passes that over.
    group.consumer.emit('crash', { payload: { error: new Error('lost') } })
    await group.pass(5)
    await until(() => group.consumers.length === 2, 'a new member')
    group.consumer.isRunning = false
    group.isLeader = true
    await group.pass(5)
    expect(group.committed).toBe(-1)
    group.consumer.isRunning = true
    await group.pass(15)
    expect(group.committed).toBe(5)
    expect(read).toHaveLength(5)
  })

  it('opens a partition with a new member where it can not be judged again', async () => {
    await begin()
    await group.consumer.fetched(0, 0, 9)
    await until(() => read.length === 10, 'read')
    group.failure = new Error('away')
    // kafkajs went back to the beginning.
    await group.consumer.fetched(0, 0, 4)
    await turns(20)
    group.failure = undefined
    await group.pass(5)
    await until(() => group.consumers.length === 2 && group.consumer.seeks.length > 0, 'a new member')
    expect(sought().at(-1)).toBe(10)
  })

  it('bears a topic that is unknown for a moment, and stops when it stays so', async () => {
    const unknown = Object.assign(new Error('This server does not host this topic-partition'), {
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await begin()
    group.failure = unknown
    group.consumer.emit('crash', { payload: { error: unknown } })
    await group.pass(15)
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE'])
    group.failure = undefined
    await group.pass(5)
    expect(told).toEqual(['CRY_SERVER_UNREACHABLE', 'well'])
    let problem: unknown
    done.catch(error => {
      problem = error
    })
    group.failure = unknown
    group.consumer.emit('crash', { payload: { error: unknown } })
    await group.pass(25)
    expect(problem).toBeUndefined()
    await group.pass(15)
    expect(problem).toMatchObject({ code: 'CRY_SERVER_CONFIG' })
  })

  it('does not take a batch that was fetched from elsewhere for a hole', async () => {
    group.hidden = [0, 1, 2, 3, 4]
    await begin()
    // Fetched from 20 for whoever had the partition before, and by more than one of kafkajs' fetchers.
    await group.consumer.fetched(20, 20, 29)
    await group.consumer.fetched(20, 20, 29)
    expect(sought()).toEqual([0, 0, 0])
    await group.consumer.fetched(0, 0, 4)
    await until(() => read.length === 5, 'read')
    expect(read).toEqual([0, 1, 2, 3, 4])
    expect(gaps).toEqual([])
  })

  it('passes over what kafkajs passed over, and tells what the log has lost', async () => {
    await begin()
    // Marks of transactions alone: kafkajs goes on by itself.
    await group.consumer.fetched(5, 5, 6)
    await until(() => read.length === 2, 'read')
    // A hole inside of what was asked for.
    await group.consumer.fetched(7, 9, 10)
    await until(() => read.length === 4, 'read')
    expect(gaps).toEqual([])
    group.begin = 30
    await group.consumer.fetched(30, 30, 31)
    await until(() => read.length === 6, 'read')
    expect(read).toEqual([5, 6, 9, 10, 30, 31])
    expect(gaps).toEqual([{ topic, partition: 0, from: 11, to: 30 }])
  })

  it('loses nothing behind what the log has lost', async () => {
    await begin()
    group.begin = 30
    group.hidden = [30, 31]
    await group.consumer.fetched(32, 32, 33)
    await group.consumer.fetched(30, 30, 33)
    await until(() => read.length === 4, 'read')
    expect(read).toEqual([30, 31, 32, 33])
    expect(sought()).toEqual([0, 30])
    expect(gaps).toEqual([{ topic, partition: 0, from: 0, to: 30 }])
  })

  it('does not call a log shorter that grew while its ends were asked for', async () => {
    group.committed = 120
    const ends = [100, 130]
    Object.defineProperty(group, 'end', { get: () => ends.shift() ?? 130 })
    await begin()
    expect(sought()).toEqual([120])
    expect(gaps).toEqual([])
  })

  it('reports a member that could not say that it leaves, so that nobody waits for it', async () => {
    await begin()
    group.consumer.emit('crash', { payload: { error: new Error('lost') } })
    await group.pass(5)
    await until(() => group.consumers.length === 2, 'a new member')
    await group.pass(1)
    expect(group.left).toEqual(['member-1'])
    over.abort()
    await group.pass(4)
    expect(group.left).toEqual(['member-1'])
  })

  it('reports it until a coordinator answers, and no longer than the group waits for it', async () => {
    await begin()
    group.leaderAway = new Error('loading')
    group.consumer.emit('crash', { payload: { error: new Error('lost') } })
    await group.pass(5)
    expect(group.left).toEqual([])
    group.leaderAway = undefined
    await group.pass(3)
    expect(group.left).toEqual(['member-1'])
    group.leaderAway = new Error('loading')
    group.consumer.emit('crash', { payload: { error: new Error('lost') } })
    await group.pass(14)
    group.leaderAway = undefined
    await group.pass(5)
    expect(group.left).toEqual(['member-1'])
    expect(group.openClusters).toBe(0)
  })

  it('does not open a partition again that went away while the servers were asked', async () => {
    await begin()
    await group.consumer.fetched(0, 0, 9)
    await until(() => read.length === 10, 'read')
    const gate = Promise.withResolvers<void>()
    group.gate = gate.promise
    // kafkajs went back: judged by the ends, which come only when the partition is another's.
    const judged = group.consumer.fetched(0, 0, 4)
    group.consumer.join(false)
    gate.resolve()
    await judged
    await turns(20)
    expect(sought()).toEqual([0])
  })
})

describe('the place where a partition goes on', () => {
  const state = { topic, partition: 0, begin: 10, end: 90 }
  it.each([
    [{ own: undefined, group: -1, done: undefined }, { next: 10 }],
    [{ own: undefined, group: 20, done: 30 }, { next: 30 }],
    [{ own: 15, group: 20, done: undefined }, { next: 15 }],
    [{ own: 15, group: 20, done: 18 }, { next: 18 }],
    [
      { own: 5, group: 20, done: undefined },
      { next: 10, gap: { from: 5, to: 10 } },
    ],
    [{ own: 5, group: 20, done: 40 }, { next: 40 }],
    [
      { own: undefined, group: 95, done: undefined },
      { next: 10, gap: { from: 95, to: 10 } },
    ],
  ])('%j', (reached, expected) => {
    expect(startOf(state, reached)).toEqual(expected)
  })
})
