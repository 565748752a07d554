import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import type { Broker, TopicMessage } from '../../core/ports/broker.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { turns, until } from '../../topics/harness.contract.ts'
import { marketRecordMessage, quoteMessage } from '../../topics/messages.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { openDeadLetters } from '../dead-letters.ts'
import { all } from '../sink.contract.ts'
import { judgeDefaults } from './defaults.ts'
import { gapOf, minute, noon, quoteOf } from './judge.contract.ts'
import { type JudgeEvent, runJudge } from './run.ts'

const topics = topicTable()
let clock = new VirtualClock(noon)
let broker: Broker
let events: JudgeEvent[] = []
let fail: (messages: readonly TopicMessage[]) => unknown = () => undefined
let failCommitted: () => unknown = () => undefined

beforeEach(async () => {
  clock = new VirtualClock(noon)
  events = []
  fail = () => undefined
  failCommitted = () => undefined
  const memory = await openMemoryBroker({ clock, topics: usedTopics(topics) })
  broker = {
    produce: async messages => {
      const error = fail(messages)
      if (error !== undefined) throw error
      await memory.produce(messages)
    },
    createTopics: list => memory.createTopics(list),
    consume: options => memory.consume(options),
    read: (topic, from) => memory.read(topic, from),
    partitions: topic => memory.partitions(topic),
    committed: async group => {
      const error = failCommitted()
      if (error !== undefined) throw error
      return await memory.committed(group)
    },
    applyRetention: now => memory.applyRetention(now),
    close: () => memory.close(),
  }
})
afterEach(() => broker.close())

function start(limits = { maxRecords: 100, maxBytes: 1_000_000, maxAgeMs: 0 }, parameters = judgeDefaults) {
  const end = new AbortController()
  const deadLetters = openDeadLetters({ broker, topic: topics.deadLetters.name, clock })
  const done = runJudge({
    ...{ broker, topics, clock, deadLetters, signal: end.signal, limits, parameters, rng: () => 0 },
    onEvent: event => events.push(event),
  })
  done.catch(() => undefined)
  const stop = async (): Promise<void> => {
    end.abort()
    await done
  }
  return { done, stop }
}

const send = (quotes: readonly Quote[]): Promise<void> =>
  broker.produce(quotes.map(q => quoteMessage(topics.quotes.name, q)))
const three = (n: number, last: string): Quote[] => [
  quoteOf('coinbase', `8400${n}.2`, minute(n)),
  quoteOf('mempool', `8400${n}`, minute(n)),
  quoteOf('kraken', last, minute(n)),
]
const recordsOf = async (topic: string): Promise<MarketRecord[]> =>
  (await all(broker.read(topic, { offset: 0 })))
    .filter(m => m.value!.length > 1)
    .map(m => marketRecordJson.decode(m.value!))
const flags = async (): Promise<MarketRecord[]> =>
  (await recordsOf(topics.sourceEvents.name)).filter(r => r.kind === 'source-flag')
const committed = async (): Promise<number> =>
  (await broker.committed('judge'))
    .filter(c => c.topic === topics.quotes.name)
    .reduce((n, c) => n + c.offset, 0)
const settle = async (condition: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 200 && !(await condition()); i += 1) {
    clock.advance(100)
    await turns(5)
  }
  expect(await condition()).toBe(true)
}

describe('runJudge', () => {
  it('publishes doubts as they come, consensus and role at the minute, and is quiet about its own', async () => {
    const run = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    await send(three(0, '84000.1'))
    await send([quoteOf('kraken', '8400.1', minute(0), { observedAt: minute(0), receivedAt: minute(1) })])
    await settle(async () => (await flags()).length === 1)
    expect(await flags()).toMatchObject([{ provider: 'kraken', flag: 'unit-jump', observedAt: minute(0) }])
    clock.advance(63_000)
    await until(() => events.some(e => e.kind === 'minute'), 'the minute')
    const told = await recordsOf(topics.consensus.name)
    expect(new Set(told.map(r => r.kind))).toEqual(new Set(['consensus', 'serving']))
    expect(told).toHaveLength(2)
    expect(told.find(r => r.kind === 'consensus')).toMatchObject({ price: '84000.1', at: minute(1) })
    const rows = (await all(broker.read(topics.quotes.name, { offset: 0 }))).map(m =>
      quoteJson.decode(m.value!),
    )
    expect(rows.filter(q => q.provider === 'consensus')).toHaveLength(1)
    await settle(async () => (await committed()) === rows.length)
    await run.stop()
  })

  it('wakes up with what it knew, and says nothing twice', async () => {
    const first = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    await send(three(0, '84000.1'))
    await settle(async () => (await committed()) === 3)
    await first.stop()
    clock.advance(60_000)
    await send(three(1, '840001'))
    events = []
    const second = start()
    await settle(async () => (await flags()).length === 1)
    expect(events[0]).toEqual({ kind: 'rebuilt', records: 6, backlog: 3 })
    expect(await flags()).toMatchObject([{ provider: 'kraken', flag: 'unit-jump' }])
    await second.stop()
  })

  it('loses no doubt when it can not be published: the batch waits', async () => {
    const run = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    let refused = 0
    fail = messages => {
      if (!messages.some(m => m.topic === topics.sourceEvents.name)) return undefined
      refused += 1
      return new CryptosError('CRY_STORE_BUSY', 'busy')
    }
    await send([...three(0, '84000.1'), ...three(1, '840001')])
    await settle(async () => await Promise.resolve(refused > 6))
    expect(await flags()).toEqual([])
    fail = () => undefined
    await settle(async () => (await flags()).length === 1)
    await settle(async () => (await committed()) >= 6)
    await run.stop()
  })

  it('reads gaps and not its own doubts, and buries what is no record', async () => {
    const run = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    await send([quoteOf('kraken', '84000.1', minute(0))])
    await broker.produce([1, 2, 3, 4, 5].map(n => marketRecordMessage(topics, gapOf('kraken', minute(n)))))
    await broker.produce([
      { ...marketRecordMessage(topics, gapOf('kraken', minute(9))), value: new Uint8Array([1]) },
    ])
    await settle(async () => (await flags()).length === 1)
    expect(await flags()).toMatchObject([{ flag: 'silent-deprecation', observedAt: minute(5) }])
    await settle(async () => (await all(broker.read(topics.deadLetters.name, { offset: 0 }))).length === 1)
    await run.stop()
  })

  it('waits for a log that is busy at the start, and ends only for what no other try can mend', async () => {
    let left = 2
    failCommitted = () => (left-- > 0 ? new CryptosError('CRY_STORE_BUSY', 'busy') : undefined)
    const run = start()
    await settle(async () => await Promise.resolve(events.some(e => e.kind === 'rebuilt')))
    expect(events.map(e => e.kind)).toEqual(['rebuild-failed', 'rebuild-failed', 'rebuilt'])
    expect(events.slice(0, 2)).toMatchObject([{ pauseMs: 100 }, { pauseMs: 200 }])
    await run.stop()
    failCommitted = () => new CryptosError('CRY_STORE_NEWER', 'made by a newer version')
    await expect(start().done).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })
  })

  it('ends at once when it is told to while it waits for the log', async () => {
    failCommitted = () => new CryptosError('CRY_STORE_BUSY', 'busy')
    const run = start()
    await until(() => events.length > 0, 'the first try')
    await run.stop()
    expect(events.map(e => e.kind)).toEqual(['rebuild-failed'])
  })

  it('goes on past a price that can not be', async () => {
    const run = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    await send([quoteOf('kraken', '0', minute(0)), quoteOf('coinbase', '84000', minute(0))])
    await settle(async () => (await committed()) === 2)
    clock.advance(63_000)
    await until(() => events.some(e => e.kind === 'minute'), 'the minute')
    expect((await recordsOf(topics.consensus.name)).find(r => r.kind === 'consensus')).toMatchObject({
      price: '84000',
    })
    await run.stop()
  })

  it('goes on with its minutes after our clock went back, and tells it', async () => {
    const run = start()
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    const minutes = (): number => events.filter(e => e.kind === 'minute').length
    clock.jump(3_600_000)
    const next = (count: number): Promise<void> =>
      settle(async () => {
        clock.advance(2_000)
        return await Promise.resolve(minutes() === count)
      })
    await next(1)
    clock.jump(-3_600_000)
    await next(2)
    expect(events.filter(e => e.kind === 'clock-back')).toHaveLength(1)
    await run.stop()
  })

  it('knows after a restart what the quota denied, though no value is in memory', async () => {
    await broker.produce([
      marketRecordMessage(topics, gapOf('kraken', minute(0), { state: 'denied', reason: 'used up' })),
    ])
    await send([quoteOf('coinbase', '84000', minute(0))])
    const order = { ...judgeDefaults, spot: { ...judgeDefaults.spot, sources: ['kraken', 'coinbase'] } }
    const run = start(undefined, order)
    await until(() => events.some(e => e.kind === 'rebuilt'), 'rebuilt')
    clock.advance(63_000)
    await until(() => events.some(e => e.kind === 'minute'), 'the minute')
    expect((await recordsOf(topics.consensus.name)).find(r => r.kind === 'serving')).toMatchObject({
      provider: 'coinbase',
      skipped: [{ provider: 'kraken', why: expect.stringMatching(/^denied since .*: used up$/) }],
    })
    await run.stop()
  })
})
