import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscribe as onChannel, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Broker, TopicMessage } from '../core/ports/broker.ts'
import type { BatchSource, QuoteSink, StoreResult } from '../core/ports/sink.ts'
import type { DeadLetter, Quote } from '../core/records.ts'
import { fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { turns, until } from '../topics/harness.contract.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { quoteMessage } from '../topics/messages.ts'
import { topicTable, usedTopics } from '../topics/table.ts'
import { openDeadLetters } from './dead-letters.ts'
import type { DeadLetters } from './dead-letters.ts'
import { deliver } from './deliver.ts'
import type { DeliverEvent, DeliverOptions } from './deliver.ts'
import { all, quote } from './sink.contract.ts'
import { openSqliteReader } from './sinks/sqlite/reader.ts'
import { openSqliteSink } from './sinks/sqlite/sink.ts'

const start = fromEpochMs(Date.UTC(2026, 10, 21, 12))
const table = topicTable()
const topic = table.quotes.name
const root = mkdtempSync(join(tmpdir(), 'cryptos-deliver-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A sink whose next answers a test decides; what it took is in `rows`. */
class FakeSink implements QuoteSink {
  readonly name: string = 'fake'
  readonly rows: Quote[] = []
  readonly sources: BatchSource[] = []
  fail: (quotes: readonly Quote[]) => unknown = () => undefined
  async write(quotes: readonly Quote[], source: BatchSource): Promise<StoreResult> {
    const error = this.fail(quotes)
    if (error !== undefined) throw error
    this.rows.push(...quotes)
    this.sources.push(source)
    return { written: quotes.length, superseded: 0 }
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

const nth = (i: number): Quote => quote({ observedAt: EpochMicros(start + i) })
const good = (i: number): TopicMessage => quoteMessage(topic, nth(i))
const utf8 = new TextEncoder()

let clock = new VirtualClock(start)
let broker: Broker
let letters: DeadLetters
let sink = new FakeSink()
let events: DeliverEvent[] = []
beforeEach(async () => {
  clock = new VirtualClock(start)
  // One partition and room for 5 MB, so that offsets and order are plain and poison of any size gets in.
  const topics = usedTopics(table).map(t => ({ ...t, partitions: 1, maxMessageBytes: 16 * 1_024 * 1_024 }))
  broker = await openMemoryBroker({ clock, topics })
  letters = openDeadLetters({ broker, topic: table.deadLetters.name, clock })
  sink = new FakeSink()
  events = []
})
afterEach(() => broker.close())

function run(more: Partial<DeliverOptions> = {}) {
  const end = new AbortController()
  const done = deliver({
    broker,
    sink,
    topic,
    codec: quoteJson,
    limits: { maxRecords: 100, maxBytes: 100_000_000, maxAgeMs: 0 },
    signal: end.signal,
    clock,
    deadLetters: letters,
    onEvent: event => events.push(event),
    rng: () => 0,
    ...more,
  })
  // A test that expects the error awaits `done` itself.
  done.catch(() => undefined)
  const stop = async () => {
    end.abort()
    return await done
  }
  return { done, stop }
}
const committed = async (group = 'sink.fake'): Promise<number | undefined> =>
  (await broker.committed(group)).find(c => c.topic === topic)?.offset
/** Moves the clock until it is true. */
async function later(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i += 1) {
    clock.advance(100)
    await turns(3)
  }
  expect(condition(), what).toBe(true)
}
const kinds = (): string[] => events.map(e => e.kind)

describe('deliver', () => {
  it('stores in order, then commits, and announces stored before committed', async () => {
    const announced: string[] = []
    const listen = (m: unknown): void => {
      announced.push((m as { step: string }).step)
    }
    onChannel('cryptos:step', listen)
    await broker.produce([good(0), good(1), good(2)])
    const delivery = run()
    await until(() => announced.length === 2, 'both steps')
    unsubscribe('cryptos:step', listen)
    expect(announced).toEqual(['stored', 'committed'])
    expect(sink.rows).toEqual([nth(0), nth(1), nth(2)])
    expect(sink.sources).toEqual([{ group: 'sink.fake', topic, partition: 0, first: 0, end: 3 }])
    expect(await committed()).toBe(3)
    expect(await delivery.stop()).toEqual({ received: 3, written: 3, superseded: 0, dead: 0, retried: 0 })
  })

  it('buries each kind of poison with its bytes and reason, and stores the neighbours', async () => {
    const value = good(0).value!
    const headers = good(0).headers
    const poison: readonly (readonly [string, Partial<TopicMessage>, RegExp])[] = [
      ['invalid UTF-8', { value: new Uint8Array([0x7b, 0xff, 0xfe]) }, /valid UTF-8/],
      ['no JSON', { value: utf8.encode('{"kind":') }, /not JSON/],
      ['5 MB', { value: new Uint8Array(5 * 1_024 * 1_024).fill(0x20) }, /5242880 bytes/],
      [
        'another version',
        { headers: { ...headers, schema: 'quote.v2+json' } },
        /quote\.v2\+json.*expected quote\.v1/,
      ],
      ['no schema', { headers: {} }, /header schema/],
      ['no value', { value: null }, /no value/],
      [
        'a wrong field',
        { value: utf8.encode(new TextDecoder().decode(value).replace('84278.77808276', '-1')) },
        /\$\.price/,
      ],
      ['long headers', { headers: { ...headers, x: 'y'.repeat(20_000) } }, /headers/],
    ]
    const messages = poison.flatMap(([, change], i) => [{ ...good(0), ...change }, good(i + 1)])
    await broker.produce(messages)
    const delivery = run()
    await until(() => sink.rows.length === poison.length, 'the neighbours')
    expect(await delivery.stop()).toEqual({ received: 16, written: 8, superseded: 0, dead: 8, retried: 0 })
    const found = await all(letters.list())
    expect(found).toHaveLength(poison.length)
    for (const [i, [what, change, reason]] of poison.entries()) {
      const letter = found[i]!
      expect(letter.reason, what).toMatch(reason)
      expect(letter.code).toBe('CRY_RECORD_INVALID')
      expect([letter.stage, letter.topic, letter.partition, letter.offset]).toEqual([
        'sink.fake',
        topic,
        0,
        2 * i,
      ])
      const expected = change.value === undefined ? value : (change.value ?? new Uint8Array())
      expect(Buffer.from(letter.bytes, 'base64').equals(Buffer.from(expected)), what).toBe(true)
    }
    expect(sink.rows.map(q => q.observedAt - start)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await committed()).toBe(16)
  })

  it('moves on behind a batch of nothing but poison', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const delivery = run()
    await until(() => sink.sources.length === 1, 'the empty write')
    await delivery.stop()
    expect(sink.sources[0]?.end).toBe(1)
    expect(await committed()).toBe(1)
  })

  it('retries what is worth it, with pauses, and commits nothing meanwhile', async () => {
    await broker.produce([good(0)])
    let failures = 3
    sink.fail = () => (failures-- > 0 ? new CryptosError('CRY_STORE_BUSY', 'busy') : undefined)
    const delivery = run()
    await until(() => kinds().includes('write-retried'), 'first retry')
    expect(await committed()).toBeUndefined()
    await later(() => sink.rows.length === 1, 'stored')
    expect((await delivery.stop()).retried).toBe(3)
    expect(events.flatMap(e => (e.kind === 'write-retried' ? [e.pauseMs] : []))).toEqual([100, 200, 400])
  })

  it('never gives up on an outage: after the last try the batch comes again, nothing is lost or passed over', async () => {
    await broker.produce([good(0), good(1)])
    let down = true
    sink.fail = () => (down ? new CryptosError('CRY_DISK_FULL', 'full') : undefined)
    const delivery = run({ maxAttempts: 2 })
    await later(() => kinds().filter(k => k === 'batch-thrown-back').length >= 3, 'thrown back')
    expect(await committed()).toBeUndefined()
    expect(await all(letters.list())).toEqual([])
    down = false
    await later(() => sink.rows.length === 2, 'stored')
    expect(await delivery.stop()).toMatchObject({ received: 2, written: 2 })
  })

  it('ends with the error where the reaction is stop, and commits nothing', async () => {
    await broker.produce([good(0)])
    sink.fail = () => new CryptosError('CRY_STORE_CORRUPT', 'damaged')
    await expect(run().done).rejects.toMatchObject({ code: 'CRY_STORE_CORRUPT' })
    expect(await committed()).toBeUndefined()
  })

  it('buries one record that the sink itself refuses, and stores its neighbours', async () => {
    await broker.produce([0, 1, 2].map(good))
    const refused = nth(1).observedAt
    sink.fail = list =>
      list.some(q => q.observedAt === refused)
        ? new CryptosError('CRY_VALUE_INVALID', 'too large here')
        : undefined
    const delivery = run()
    await until(() => sink.rows.length === 2, 'the neighbours')
    await until(() => kinds().includes('batch-stored'), 'done')
    expect(await delivery.stop()).toEqual({ received: 3, written: 2, superseded: 0, dead: 1, retried: 0 })
    expect((await all(letters.list())).map(l => [l.offset, l.code])).toEqual([[1, 'CRY_VALUE_INVALID']])
    expect(sink.sources.at(-1)?.end).toBe(3)
  })

  it('does not go past a record whose letter can not be kept', async () => {
    await broker.produce([{ ...good(0), value: null }, good(1)])
    let down = true
    const write = async (list: readonly DeadLetter[]): Promise<void> => {
      if (down) throw new CryptosError('CRY_DISK_FULL', 'full')
      await letters.write(list)
    }
    const delivery = run({ deadLetters: { write } })
    await later(() => kinds().includes('batch-thrown-back'), 'held')
    expect(sink.rows).toEqual([])
    expect(await committed()).toBeUndefined()
    down = false
    await later(() => sink.rows.length === 1, 'goes on')
    await delivery.stop()
    expect(await all(letters.list())).toHaveLength(1)
  })

  it('stops where the dead-letter topic does not exist at all', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const wrong = openDeadLetters({ broker, topic: 'nope', clock })
    await expect(run({ deadLetters: wrong }).done).rejects.toMatchObject({ code: 'CRY_CONFIG_INVALID' })
    expect(await committed()).toBeUndefined()
  })

  it('ends promptly by the signal in the middle of a pause', async () => {
    await broker.produce([good(0)])
    sink.fail = () => new CryptosError('CRY_STORE_BUSY', 'busy')
    const delivery = run()
    await until(() => kinds().includes('write-retried'), 'in the pause')
    expect(await delivery.stop()).toMatchObject({ written: 0, retried: 1 })
    expect(await committed()).toBeUndefined()
  })

  it('gives every sink its own group: one that fails does not hold the other', async () => {
    await broker.produce([good(0), good(1)])
    const other = new FakeSink()
    sink.fail = () => new CryptosError('CRY_DISK_FULL', 'full')
    const one = run()
    const two = run({ sink: other, group: 'sink.other' })
    await until(() => other.rows.length === 2, 'the healthy sink')
    await one.stop()
    await two.stop()
    expect(await committed('sink.other')).toBe(2)
    expect(await committed()).toBeUndefined()
  })

  it('tells a gap', async () => {
    await broker.produce([good(0), good(1)])
    await broker.applyRetention(EpochMicros(start + 30 * 86_400_000_000))
    const position = async (): Promise<number> => 1
    const delivery = run({ sink: Object.assign(new FakeSink(), { position }) })
    await until(() => kinds().includes('gap'), 'the gap')
    await delivery.stop()
    expect(events[0]).toEqual({ kind: 'gap', topic, partition: 0, from: 1, to: 2 })
  })
})

describe('deliver into sqlite', () => {
  const openStore = async (file: string) => ({
    sink: await openSqliteSink({ file, clock }),
    reader: await openSqliteReader({ file }),
  })
  const range = { from: EpochMicros(0), to: EpochMicros(9e15) }

  it('goes on from the place in the store when the commit of the group was lost', async () => {
    const store = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    await broker.produce([good(0), good(1)])
    await store.sink.write([nth(0)], { group: 'sink.sqlite', topic, partition: 0, first: 0, end: 1 })
    const delivery = run({ sink: store.sink })
    await until(() => kinds().includes('batch-stored'), 'stored')
    expect(await delivery.stop()).toMatchObject({ received: 1, written: 1 })
    expect(await all(store.reader.rows(range))).toEqual([nth(0), nth(1)])
    await Promise.all([store.reader.close(), store.sink.close()])
  })

  it('fills a store that was made anew from the whole log, although the group has committed', async () => {
    const first = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    await broker.produce([good(0), good(1)])
    const one = run({ sink: first.sink })
    await until(() => kinds().includes('batch-stored'), 'stored')
    await one.stop()
    expect(await committed('sink.sqlite')).toBe(2)
    const second = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    events = []
    const two = run({ sink: second.sink })
    await until(() => kinds().includes('batch-stored'), 'stored again')
    await two.stop()
    expect(await all(second.reader.rows(range))).toHaveLength(2)
    await Promise.all([first, second].flatMap(s => [s.reader.close(), s.sink.close()]))
  })
})

describe('dead letters', () => {
  const bury = async (): Promise<DeadLetter> => {
    await broker.produce([{ ...good(0), headers: { ...good(0).headers, schema: 'quote.v2+json' } }])
    const delivery = run()
    await until(() => kinds().includes('batch-stored'), 'buried')
    await delivery.stop()
    return (await all(letters.list()))[0]!
  }

  it('shows a letter by id, and a second delivery of the message makes no second one', async () => {
    const letter = await bury()
    await letters.write([letter])
    expect(await all(letters.list())).toHaveLength(1)
    expect(await letters.show(letter.id)).toEqual(letter)
    expect(await letters.show('nope')).toBeUndefined()
  })

  it('replays the very bytes under the very key, once', async () => {
    const letter = await bury()
    await letters.replay(letter.id)
    const messages = await all(broker.read(topic, { offset: 0 }))
    expect(messages).toHaveLength(2)
    expect(messages[1]?.key).toBe(good(0).key)
    expect(Buffer.from(messages[1]!.value!).equals(Buffer.from(good(0).value!))).toBe(true)
    expect(messages[1]?.headers).toEqual({
      ...good(0).headers,
      schema: 'quote.v2+json',
      'dead-letter-replay-of': letter.id,
    })
    expect(await all(letters.list())).toEqual([])
    await expect(letters.replay(letter.id)).rejects.toMatchObject({ code: 'CRY_USAGE' })
    expect(await all(broker.read(topic, { offset: 0 }))).toHaveLength(2)
  })

  it('replays a tombstone as a tombstone, and refuses what never was a message', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const delivery = run()
    await until(() => kinds().includes('batch-stored'), 'buried')
    await delivery.stop()
    const letter = (await all(letters.list()))[0]!
    await letters.replay(letter.id)
    expect((await all(broker.read(topic, { offset: 1 })))[0]?.value).toBeNull()
    await letters.write([{ ...letter, id: 'answer', stage: 'collectors', partition: -1, offset: -1 }])
    await expect(letters.replay('answer')).rejects.toMatchObject({ code: 'CRY_USAGE' })
  })

  it('lists what else lies in the topic as a letter, so that junk hides nothing', async () => {
    const letter = await bury()
    const junk = {
      topic: table.deadLetters.name,
      key: 'junk',
      value: utf8.encode('?'),
      headers: {},
      timestamp: start,
    }
    await broker.produce([junk])
    const found = await all(letters.list())
    expect(found.map(l => [l.id, l.stage])).toEqual([
      [letter.id, 'sink.fake'],
      ['junk', 'dead-letters'],
    ])
    await expect(letters.replay('junk')).rejects.toMatchObject({ code: 'CRY_USAGE' })
  })
})
