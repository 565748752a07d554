import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Broker } from '../../core/ports/broker.ts'
import { type Gap, marketRecordId, marketRecordVersion } from '../../core/records.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { partitionOf } from '../../topics/partition.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { Problems } from '../pipeline/problems.ts'
import { durationText } from './duration-text.ts'
import { gapOfLoss } from './gaps.ts'
import { type LagPorts, LagWatch, startLagWatch } from './lag-watch.ts'
import { LossTeller, tellGap } from './tell-gaps.ts'

const topics = topicTable()
const topic = topics.quotes.name
const group = 'sink.cassandra'
const start = parseIso('2026-11-21T12:00:00Z')
/** A key of each partition. */
const keys = Array.from(
  { length: 4 },
  (_, p) => Array.from({ length: 99 }, (_, i) => `key-${i}`).find(key => partitionOf(key, 4) === p)!,
)

let clock: VirtualClock
let broker: Broker
let problems: Problems
let ports: LagPorts
beforeEach(async () => {
  clock = new VirtualClock(start)
  broker = await openMemoryBroker({ clock, topics: usedTopics(topics) })
  problems = new Problems()
  const groups = [{ group, topic, retentionMs: 7 * DAY }]
  ports = { broker, clock, topics, origin: 'live', groups, onProblem: problems.set }
})
afterEach(() => broker.close())

const produce = (count: number, partition = 0, at: EpochMicros = clock.now()): Promise<void> =>
  broker.produce(
    Array.from({ length: count }, () => ({
      ...{ topic, key: keys[partition]!, value: new Uint8Array(1), headers: {}, timestamp: at },
    })),
  )

/** The group reads so many records of every partition, and commits. */
async function read(count: number): Promise<void> {
  const stop = new AbortController()
  const left = (await broker.partitions(topic)).filter(s => s.end > s.begin).length
  let done = 0
  await broker.consume({
    ...{ group, topics: [topic], limits: { maxRecords: count, maxBytes: 1e6, maxAgeMs: 0 } },
    signal: stop.signal,
    onBatch: async () => undefined,
    onCommitted: () => {
      done += 1
      if (done >= left) stop.abort()
    },
  })
}

async function gaps(): Promise<Gap[]> {
  const found: Gap[] = []
  for await (const { value } of broker.read(topics.sourceEvents.name, { offset: 0 }))
    found.push(marketRecordJson.decode(value!) as Gap)
  return found
}

describe('the lag of a group', () => {
  it('is well while the oldest unread record is younger than half of the retention', async () => {
    await produce(3)
    const watch = new LagWatch(ports)
    clock.advance(3.4 * DAY)
    await watch.look()
    expect([problems.list(), await gaps()]).toEqual([[], []])
  })

  it('is a problem and a gap beyond, once, until the group has read on', async () => {
    await produce(3, 2)
    const watch = new LagWatch(ports)
    clock.advance(3.5 * DAY + MINUTE)
    await watch.look()
    await watch.look()
    const what = `sink.cassandra has 3 records of ${topic}/2 to read, the oldest for 3 d 12 h; the topic keeps them for 7 d only: mend the store, or raise the retention before they are lost`
    expect(problems.list()).toEqual([{ name: 'lag.sink.cassandra', what }])
    const [gap, ...more] = await gaps()
    expect(more).toEqual([])
    expect(gap).toMatchObject({
      ...{ provider: 'topics', dataset: group, asset: `topic:${topic}-2`, currency: 'XXX', origin: 'live' },
      ...{ state: 'failed', expectedAt: start, sourceId: '0..2', reason: what, receivedAt: clock.now() },
    })
    await read(3)
    await watch.look()
    const [, closed] = await gaps()
    expect([closed!.state, marketRecordId(closed!)]).toEqual(['collected', marketRecordId(gap!)])
    expect(marketRecordVersion(closed!)).toBeGreaterThan(marketRecordVersion(gap!))
    expect(problems.list()).toEqual([])
  })

  it('counts from the oldest record that is not read, not from the oldest that is kept', async () => {
    await produce(1)
    await read(1)
    clock.advance(3 * DAY)
    await produce(1)
    clock.advance(DAY)
    await new LagWatch(ports).look()
    expect(problems.list()).toEqual([])
    clock.advance(3 * DAY)
    await new LagWatch(ports).look()
    expect(problems.list()).toHaveLength(1)
  })

  it('tells the worst of its partitions, and has a gap for each', async () => {
    await produce(1, 3)
    clock.advance(HOUR)
    await produce(5, 1)
    clock.advance(4 * DAY)
    await new LagWatch(ports).look()
    expect(problems.list()[0]!.what).toContain(`${topic}/3`)
    expect((await gaps()).map(g => g.asset)).toEqual([`topic:${topic}-1`, `topic:${topic}-3`])
  })

  it('reads no record of a group that keeps up', async () => {
    let reads = 0
    const counted: Broker = Object.assign(Object.create(broker), {
      partitions: broker.partitions.bind(broker),
      committed: broker.committed.bind(broker),
      read: (...args: Parameters<Broker['read']>) => {
        reads += 1
        return broker.read(...args)
      },
    })
    const watch = new LagWatch({ ...ports, broker: counted })
    await produce(1)
    await watch.look()
    expect(reads).toBe(1)
    await read(1)
    for (let i = 0; i < 5; i += 1) {
      clock.advance(MINUTE)
      await watch.look()
      await produce(2)
      await read(9)
      await produce(1)
    }
    expect(reads).toBe(1)
  })
})

describe('records that retention removed', () => {
  it('are a gap that stays, told once, and end the gap of the lag', async () => {
    await produce(4)
    await read(2)
    const watch = new LagWatch(ports)
    clock.advance(4 * DAY)
    await watch.look()
    clock.advance(2 * DAY)
    await produce(1)
    clock.advance(2 * DAY)
    await broker.applyRetention(clock.now())
    await watch.look()
    await watch.look()
    const told = await gaps()
    expect(told.map(g => [g.state, g.sourceId])).toEqual([
      ['failed', '2..3'],
      ['missing', '2..3'],
      ['missing', '2..3'],
    ])
    const [late, lost, ended] = told
    expect(lost!.reason).toContain('retention removed 2 records')
    expect([marketRecordId(ended!), ended!.receivedAt]).toEqual([marketRecordId(late!), clock.now()])
    expect(marketRecordId(lost!)).not.toBe(marketRecordId(late!))
    // The rest is two days old: no problem.
    expect(problems.list()).toEqual([])
  })

  it('are told once, whoever finds them first', async () => {
    await produce(4)
    await read(1)
    clock.advance(8 * DAY)
    await broker.applyRetention(clock.now())
    const losses = new LossTeller(ports)
    const loss = { group, topic, partition: 0, from: 1, to: 3 }
    await Promise.all([losses.tell(loss), losses.tell(loss)])
    await new LagWatch({ ...ports, losses }).look()
    expect((await gaps()).map(g => [g.state, g.sourceId])).toEqual([
      ['missing', '1..2'],
      ['missing', '3..3'],
    ])
  })

  it('are told again after the broker refused to take it', async () => {
    let refuse = true
    const full: Broker = Object.assign(Object.create(broker), {
      read: broker.read.bind(broker),
      produce: async (...args: Parameters<Broker['produce']>) => {
        if (refuse) throw new CryptosError('CRY_DISK_FULL', 'full')
        return await broker.produce(...args)
      },
    })
    const losses = new LossTeller({ ...ports, broker: full })
    const loss = { group, topic, partition: 0, from: 1, to: 3 }
    await expect(losses.tell(loss)).rejects.toMatchObject({ code: 'CRY_DISK_FULL' })
    refuse = false
    await losses.tell(loss)
    expect(await gaps()).toHaveLength(1)
  })

  it('that a consumer heard of while the broker took nothing are told at the next look', async () => {
    let refuse = true
    const full: Broker = Object.assign(Object.create(broker), {
      read: broker.read.bind(broker),
      partitions: broker.partitions.bind(broker),
      committed: broker.committed.bind(broker),
      produce: async (...args: Parameters<Broker['produce']>) => {
        if (refuse) throw new CryptosError('CRY_DISK_FULL', 'full')
        return await broker.produce(...args)
      },
    })
    const losses = new LossTeller({ ...ports, broker: full })
    const watch = new LagWatch({ ...ports, broker: full, losses })
    losses.hear({ group, topic, partition: 0, from: 1, to: 3 })
    losses.hear({ group, topic, partition: 1, from: 0, to: 5 })
    await watch.look()
    expect([problems.list(), await gaps()]).toMatchObject([[{ name: 'lag', what: expect.any(String) }], []])
    refuse = false
    await watch.look()
    expect(problems.list()).toEqual([])
    expect((await gaps()).map(g => g.sourceId).toSorted((a, b) => a.localeCompare(b))).toEqual([
      '0..4',
      '1..2',
    ])
  })

  it('are the same gap when another process finds them', () => {
    const loss = { group, topic, partition: 3, from: 7, to: 9 }
    const [a, b] = [start, addMs(start, DAY)].map(now =>
      gapOfLoss(loss, { now, origin: 'sandbox', keptAt: addMs(start, -HOUR) }),
    )
    expect(marketRecordId(a!)).toBe(marketRecordId(b!))
    expect(marketRecordJson.decode(marketRecordJson.encode(a!))).toEqual(a)
  })

  it('of a topic with the longest name are a valid record too', async () => {
    const loss = { group: 'g'.repeat(200), topic: `${'t'.repeat(200)}.v1`, partition: 11, from: 0, to: 1 }
    const gap = gapOfLoss(loss, { now: start, origin: 'live', keptAt: start })
    await tellGap(ports, gap)
    expect(await gaps()).toEqual([gap])
  })
})

describe('the watch', () => {
  it('looks at once and every minute, says what it can not find out, and ends with the signal', async () => {
    await produce(1)
    clock.advance(4 * DAY)
    let isDown = true
    const moody: Broker = Object.assign(Object.create(broker), {
      partitions: broker.partitions.bind(broker),
      read: broker.read.bind(broker),
      produce: broker.produce.bind(broker),
      committed: async (of: string) => {
        if (isDown) throw new CryptosError('CRY_SERVER_UNREACHABLE', 'no broker')
        return await broker.committed(of)
      },
    })
    const stop = new AbortController()
    const watching = startLagWatch({ ...ports, broker: moody }, stop.signal)
    const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 20))
    await settled()
    expect(problems.list()).toMatchObject([{ name: 'lag', what: expect.stringContaining('no broker') }])
    isDown = false
    clock.advance(MINUTE)
    await settled()
    expect(problems.list().map(p => p.name)).toEqual(['lag.sink.cassandra'])
    stop.abort()
    await watching
  })
})

it.each([
  [0, 'less than a minute'],
  [12 * MINUTE + 59_000, '12 min'],
  [5 * HOUR + MINUTE, '5 h 1 min'],
  [3.5 * DAY, '3 d 12 h'],
  [7 * DAY + MINUTE, '7 d'],
])('writes %d ms as "%s"', (ms, text) => expect(durationText(ms)).toBe(text))
