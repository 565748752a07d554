import { describe, expect, it } from 'vitest'
import { DecimalString, ProviderId } from '../core/brands.ts'
import { quoteId, quoteVersion } from '../core/records.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import type { Broker, StoredMessage } from '../core/ports/broker.ts'
import type { RawAnswer } from '../core/ports/ledger.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { deadLetterJson } from '../topics/codecs/dead-letter-json.ts'
import { marketRecordJson } from '../topics/codecs/market-record-json.ts'
import { quotaEventJson } from '../topics/codecs/quota-event-json.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { topicTable, usedTopics } from '../topics/table.ts'
import { Credits } from '../core/brands.ts'
import { knownAssetRefs } from './assets.ts'
import { shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import type { Provider } from './provider.ts'
import { publishPending, type PublishPorts } from './publish.ts'
import { Publisher } from './publisher.ts'
import { QuotaEventPublisher } from './publish-quota-events.ts'
import { contextText } from './saved-context.ts'
import { openTestPoll, type TestPoll } from './testing/test-poll.ts'

const topics = topicTable()
const start = '2026-11-21T12:00:30Z'

interface Setup extends AsyncDisposable {
  readonly test: TestPoll
  readonly broker: Broker
  readonly ports: PublishPorts
  /** Stores one answer in the outbox, as a run does. */
  answer(page: number, body: string, changes?: Partial<RawAnswer>): Promise<void>
}

async function setup(): Promise<Setup> {
  const clock = new VirtualClock(parseIso(start))
  const test = await openTestPoll('http://127.0.0.1:1', clock)
  const broker = await openMemoryBroker({ clock })
  await broker.createTopics(usedTopics(topics))
  const source = await test.source(coinmarketcap, 'http://127.0.0.1:1', 'key')
  const context = contextText({
    page: { assets: knownAssetRefs(coinmarketcap), currency: 'USD' },
    origin: 'live',
  })
  return {
    ...{ test, broker },
    ports: { ledger: test.ledger, broker, clock, providers: [coinmarketcap], holder: 'one' },
    async answer(page, body, changes = {}) {
      const slot = `coinmarketcap/quotes/2026-11-21T12:00:00.000Z/${page}`
      const now = clock.now()
      const { scope } = source
      const reservationId = `r-${page}`
      await test.ledger.reserve({ scope, reservationId, costMax: Credits(1), slot, now })
      const charge = { kind: 'known', credits: Credits(1) } as const
      const raw: RawAnswer = {
        ...{
          answerId: `${slot}#1`,
          provider: coinmarketcap.id,
          dataset: 'quotes',
          slot,
          runId: `run-${page}`,
        },
        ...{ receivedAt: now, httpStatus: 200, body: new TextEncoder().encode(body), context, ...changes },
      }
      const how = { providerDate: null, now, why: 'test', answer: raw }
      await test.ledger.settle({ scope, reservationId, charge, ...how })
    },
    async [Symbol.asyncDispose]() {
      await broker.close()
      await test[Symbol.asyncDispose]()
    },
  }
}

async function messagesOf(broker: Broker, topic: string): Promise<StoredMessage[]> {
  const found: StoredMessage[] = []
  for await (const message of broker.read(topic, { offset: 0 })) found.push(message)
  return found
}

describe('publishing', () => {
  it('brings each answer to the topic once, with key, ids and the digits', async () => {
    await using s = await setup()
    await s.answer(0, shapes['v3 list']!)
    expect(await publishPending(s.ports)).toEqual({ held: true, answers: 1, records: 1, deadLetters: 0 })
    expect(await publishPending(s.ports)).toMatchObject({ held: true, answers: 0 })
    const [message, ...more] = await messagesOf(s.broker, topics.quotes.name)
    expect(more).toEqual([])
    expect(message).toMatchObject({
      key: 'coinmarketcap|bitcoin|USD',
      headers: {
        schema: 'quote.v1+json',
        'record-id': `coinmarketcap|bitcoin|USD|${parseIso('2026-10-05T08:30:02Z')}`,
        'run-id': 'run-0',
      },
    })
    expect(quoteJson.decode(message!.value!)).toMatchObject({
      ...{ price: '84278.770', origin: 'live', credits: 1, revision: 0, receivedAt: parseIso(start) },
      rawRef: 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0#1',
    })
  })

  it('publishes what a corrected mapping makes of an answer with a larger version, so that it replaces what was stored', async () => {
    await using s = await setup()
    await s.answer(0, shapes['v3 list']!)
    await publishPending(s.ports)
    const corrected: Provider = {
      ...coinmarketcap,
      datasets: coinmarketcap.datasets.map(dataset => ({
        ...dataset,
        map: (...args) => {
          const { records, missing } = dataset.map(...args)
          return { records: records.map(r => ({ ...r, price: DecimalString('1.50') })), missing }
        },
      })),
    }
    await s.test.ledger.outbox.republish(60_000, s.test.clock.now())
    await publishPending({ ...s.ports, providers: [corrected] })
    const messages = await messagesOf(s.broker, topics.quotes.name)
    const [before, after] = messages.map(m => quoteJson.decode(m.value!))
    expect([before!.price, after!.price]).toEqual(['84278.770', '1.50'])
    expect(quoteId(after!)).toBe(quoteId(before!))
    expect(quoteVersion(after!)).toBeGreaterThan(quoteVersion(before!))
  })

  it('puts an answer that no mapping understands into the dead letters with its bytes, and goes on', async () => {
    await using s = await setup()
    await s.answer(0, '{"status":{"error_code":0},"data":[7]}')
    await s.answer(1, shapes['simple/price']!)
    await s.answer(2, shapes['v3 list']!, { provider: ProviderId('gone') })
    await s.answer(3, shapes['v3 list']!, { context: 'torn' })
    await s.answer(4, shapes['v3 list']!)
    expect(await publishPending(s.ports)).toEqual({ held: true, answers: 5, records: 2, deadLetters: 3 })
    const letters = (await messagesOf(s.broker, topics.deadLetters.name)).map(m =>
      deadLetterJson.decode(m.value!),
    )
    expect(letters.map(l => [l.code, Buffer.from(l.bytes, 'base64').toString().slice(0, 30)])).toEqual([
      ['CRY_PROVIDER_PAYLOAD', '{"status":{"error_code":0},"da'],
      ['CRY_RECORD_INVALID', shapes['v3 list']!.slice(0, 30)],
      ['CRY_RECORD_INVALID', shapes['v3 list']!.slice(0, 30)],
    ])
    expect(letters[0]).toMatchObject({
      stage: 'collectors',
      reason: '$.data[0]: wanted an object, got the number 7',
    })
    expect((await s.test.ledger.outbox.stats()).pending).toBe(0)
  })

  it('publishes gaps beside the prices and beside the dead letters, in the same produce', async () => {
    await using s = await setup()
    await s.answer(0, shapes['v3 list']!)
    await s.answer(1, '{"status":{"error_code":0},"data":[7]}')
    await publishPending(s.ports)
    const asked = knownAssetRefs(coinmarketcap).map(r => r.asset)
    const gaps = (await messagesOf(s.broker, topics.sourceEvents.name))
      .map(m => marketRecordJson.decode(m.value!))
      .filter(g => g.kind === 'gap')
    const of = (state: string) => new Set(gaps.filter(g => g.state === state).map(g => g.asset))
    expect(of('missing')).toEqual(new Set(asked.filter(a => a !== 'bitcoin')))
    expect(of('failed')).toEqual(new Set(asked))
    expect(gaps.find(g => g.state === 'failed')?.reason).toContain('$.data[0]')
    // A broker that takes nothing of one produce leaves no gap without its prices.
    await s.answer(2, shapes['v3 list']!)
    s.broker.produce = async () => {
      throw new Error('down')
    }
    await expect(publishPending(s.ports)).rejects.toThrow('down')
    expect(await messagesOf(s.broker, topics.sourceEvents.name)).toHaveLength(gaps.length)
  })

  it('buries an answer that is too large for a letter without its bytes, and goes on', async () => {
    await using s = await setup()
    const body = 'x'.repeat(13_000_000)
    await s.answer(0, body)
    await s.answer(1, shapes['v3 list']!)
    expect(await publishPending(s.ports)).toMatchObject({ answers: 2, records: 1, deadLetters: 1 })
    const [message] = await messagesOf(s.broker, topics.deadLetters.name)
    const letter = deadLetterJson.decode(message!.value!)
    expect(letter).toMatchObject({
      bytes: '',
      reason: expect.stringContaining('13000000 bytes are too many'),
    })
    expect(letter.headers['answerId']).toBe('coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0#1')
    expect((await s.test.ledger.outbox.stats()).pending).toBe(0)
  })

  it('marks nothing that the broker does not have, and publishes it once the broker is back, with the same ids', async () => {
    await using s = await setup()
    await s.answer(0, shapes['v3 list']!)
    const produce = s.broker.produce.bind(s.broker)
    // The records are stored, but the word of it is lost: as when the process dies between the two steps.
    s.broker.produce = async messages => {
      await produce(messages)
      throw new Error('lost')
    }
    await expect(publishPending(s.ports)).rejects.toThrow('lost')
    expect((await s.test.ledger.outbox.stats()).pending).toBe(1)
    s.broker.produce = produce
    expect(await publishPending(s.ports)).toMatchObject({ answers: 1 })
    const [first, second] = await messagesOf(s.broker, topics.quotes.name)
    expect(second!.headers).toEqual(first!.headers)
    expect(second!.value).toEqual(first!.value)
  })

  it('leaves the work to the holder of the lease, and takes over when the lease has run out', async () => {
    await using s = await setup()
    await s.answer(0, shapes['v3 list']!)
    await s.test.ledger.outbox.acquireLease('another', s.test.clock.now(), 30_000)
    expect(await publishPending(s.ports)).toMatchObject({ held: false, answers: 0 })
    s.test.clock.advance(30_001)
    expect(await publishPending(s.ports)).toMatchObject({ held: true, answers: 1 })
  })

  it('one publisher of a process sees what was stored while it worked', async () => {
    await using s = await setup()
    const { publish } = new Publisher(s.ports)
    await s.answer(0, shapes['v3 list']!)
    const first = publish()
    await s.answer(1, shapes['simple/price']!)
    const [second, third] = [publish(), publish()]
    await Promise.all([first, second, third])
    expect((await s.test.ledger.outbox.stats()).pending).toBe(0)
    expect(await messagesOf(s.broker, topics.quotes.name)).toHaveLength(2)
  })

  it('never lets two rounds of one process overlap, whenever a caller comes', async () => {
    await using s = await setup()
    let [active, most, rounds] = [0, 0, 0]
    const late: Promise<unknown>[] = []
    const { outbox } = s.test.ledger
    const watched: typeof outbox = Object.assign(Object.create(outbox), {
      acquireLease: outbox.acquireLease.bind(outbox),
      async pending(limit: number) {
        active += 1
        rounds += 1
        most = Math.max(most, active)
        return await outbox.pending(limit)
      },
      async releaseLease(holder: string) {
        await outbox.releaseLease(holder)
        active -= 1
        // Callers in every microtask in which the round ends, as those that were settled in the same commit are.
        if (rounds > 1) return
        for (let i = 0; i < 20; i += 1) void microtasks(i).then(() => late.push(publish()))
      },
    })
    const ledger = Object.assign(Object.create(s.test.ledger), { outbox: watched }) as typeof s.test.ledger
    const { publish } = new Publisher({ ...s.ports, ledger })
    await Promise.all([publish(), publish()])
    await Promise.all(late)
    expect(late).toHaveLength(20)
    expect([most, rounds > 1]).toEqual([1, true])
  })

  it('ends a backlog of many pages', async () => {
    await using s = await setup()
    for (let page = 0; page < 45; page += 1) {
      await s.answer(page, shapes['v3 list']!)
      s.test.clock.advance(4_000)
    }
    expect(await publishPending(s.ports)).toMatchObject({ answers: 45, records: 45 })
  })
})

describe('quota events', () => {
  it('come in order, once, and go on where the topic ends after a restart', async () => {
    await using s = await setup()
    const ports = { ledger: s.test.ledger, broker: s.broker, topic: topics.quotaEvents.name }
    await s.answer(0, shapes['v3 list']!)
    const first = await new QuotaEventPublisher(ports).publish()
    expect(first).toBeGreaterThan(0)
    expect(await new QuotaEventPublisher(ports).publish()).toBe(0)
    await s.answer(1, shapes['v3 list']!)
    expect(await new QuotaEventPublisher(ports).publish()).toBeGreaterThan(0)
    const events = (await messagesOf(s.broker, ports.topic)).map(m => quotaEventJson.decode(m.value!))
    expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
  })

  it('go on past a message that is none, and tell of it', async () => {
    await using s = await setup()
    const warned: string[] = []
    const log = { info: () => undefined, warn: (_: object, message: string) => void warned.push(message) }
    const ports = { ledger: s.test.ledger, broker: s.broker, topic: topics.quotaEvents.name, log }
    const stray = { topic: ports.topic, partition: 0, key: 'x', value: new TextEncoder().encode('{"no":1}') }
    await s.broker.produce([{ ...stray, timestamp: s.test.clock.now(), headers: {} }])
    await s.answer(0, shapes['v3 list']!)
    expect(await new QuotaEventPublisher(ports).publish()).toBeGreaterThan(0)
    expect(await new QuotaEventPublisher(ports).publish()).toBe(0)
    expect(warned).toEqual(
      Array.from({ length: 2 }, () => 'a message that is no quota event was passed over'),
    )
  })
})

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve()
}
