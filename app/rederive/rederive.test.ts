import { describe, expect, it } from 'vitest'
import { Credits, DecimalString, type EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { RawAnswer } from '../../core/ports/ledger.ts'
import type { Quote } from '../../core/records.ts'
import { addMs, MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { knownAssetRefs } from '../../collectors/assets.ts'
import type { Mapped, Provider } from '../../collectors/provider.ts'
import { shapes } from '../../collectors/providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from '../../collectors/providers/coinmarketcap/index.ts'
import { publishPending } from '../../collectors/publish.ts'
import { contextText } from '../../collectors/saved-context.ts'
import { openTestPoll } from '../../collectors/testing/test-poll.ts'
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { createLog } from '../log.ts'
import { everFrom, lookAgain, publishAgain, type RederivePorts, type RederiveRange } from './rederive.ts'

const topics = topicTable()
const start = parseIso('2026-11-21T12:00:30Z')

/** Answers that were published a minute apart: quotes of one moment of the source, in one slot each. */
async function setup(answers: number) {
  const clock = new VirtualClock(start)
  const test = await openTestPoll('http://127.0.0.1:1', clock)
  const broker = await openMemoryBroker({ clock, topics: usedTopics(topics) })
  const { scope } = await test.source(coinmarketcap, 'http://127.0.0.1:1', 'key')
  const log = createLog('silent', [])
  const { signal } = new AbortController()
  const ports: RederivePorts = {
    ...{ ledger: test.ledger, broker, clock, providers: [coinmarketcap], topics, holder: 'one', log, signal },
  }
  const page = { assets: knownAssetRefs(coinmarketcap), currency: 'USD' }
  for (let n = 0; n < answers; n += 1) {
    const slot = `coinmarketcap/quotes/2026-11-21T12:0${n}:00.000Z/0`
    const [reservationId, now] = [`r-${n}`, clock.now()]
    await test.ledger.reserve({ scope, reservationId, costMax: Credits(1), slot, now })
    const answer: RawAnswer = {
      ...{ answerId: `${slot}#1`, provider: coinmarketcap.id, dataset: 'quotes', slot, runId: `run-${n}` },
      ...{ receivedAt: now, httpStatus: 200, body: new TextEncoder().encode(bodyAt(n)) },
      context: contextText({ page, origin: 'live' }),
    }
    const charge = { kind: 'known', credits: Credits(1) } as const
    await test.ledger.settle({ scope, reservationId, charge, providerDate: null, now, why: 'test', answer })
    clock.advance(MINUTE)
  }
  await publishPending(ports)
  const close = async (): Promise<void> => {
    await broker.close()
    await test[Symbol.asyncDispose]()
  }
  return { ports, clock, broker, ledger: test.ledger, [Symbol.asyncDispose]: close }
}

const bodyAt = (n: number): string => shapes['v3 list']!.replaceAll('08:30:02', `08:3${n}:02`)

const all = (clock: VirtualClock): RederiveRange => ({ from: everFrom, to: clock.now() })

/** The provider with another mapping. */
const remade = (change: (mapped: Mapped) => Mapped): readonly Provider[] => [
  {
    ...coinmarketcap,
    datasets: coinmarketcap.datasets.map(d => ({ ...d, map: (...args) => change(d.map(...args)) })),
  },
]
const dearer = remade(mapped => ({
  ...mapped,
  records: mapped.records.map(r => ({ ...r, price: DecimalString('1.50') })),
}))
const moved = remade(mapped => ({
  ...mapped,
  records: mapped.records.map(r => ({ ...r, observedAt: addMs(r.observedAt, 1) })),
}))
const refused = remade(() => {
  throw new CryptosError('CRY_PROVIDER_PAYLOAD', 'no')
})

async function quotesOf(broker: Broker): Promise<Quote[]> {
  const found: Quote[] = []
  for await (const { value } of broker.read(topics.quotes.name, { offset: 0 }))
    found.push(quoteJson.decode(value!))
  return found
}

describe('looking at raw answers again', () => {
  it('finds nothing changed by the same mapping', async () => {
    await using s = await setup(3)
    expect(await lookAgain(s.ports, all(s.clock))).toMatchObject({
      ...{ answers: 3, rows: 3, changed: 0, added: 0, gone: 0, replaced: 0, deadLetters: 0, waiting: 0 },
      oldestAt: start,
    })
  })

  it('counts what a corrected mapping changes, and writes nothing', async () => {
    await using s = await setup(3)
    const found = await lookAgain({ ...s.ports, providers: dearer }, all(s.clock))
    expect(found).toMatchObject({ rows: 3, changed: 3, added: 0, gone: 0 })
    expect([(await quotesOf(s.broker)).length, (await s.ledger.outbox.stats()).pending]).toEqual([3, 0])
  })

  it('tells rows that get another identity as added and as gone: nothing deletes the old ones', async () => {
    await using s = await setup(2)
    const found = await lookAgain({ ...s.ports, providers: moved }, all(s.clock))
    expect(found).toMatchObject({ changed: 0, added: 2, gone: 2 })
  })

  it('counts answers that it can not read', async () => {
    await using s = await setup(2)
    const found = await lookAgain({ ...s.ports, providers: refused }, all(s.clock))
    expect(found).toMatchObject({ answers: 2, rows: 0, deadLetters: 2, gone: 2 })
  })

  it('takes only what was received in the range, of the provider', async () => {
    await using s = await setup(3)
    const second: EpochMicros = addMs(start, MINUTE)
    const range = { from: second, to: addMs(second, 1) }
    expect(await lookAgain(s.ports, range)).toMatchObject({ answers: 1, rows: 1, oldestAt: second })
    const kraken = { ...all(s.clock), provider: ProviderId('kraken') }
    expect(await lookAgain(s.ports, kraken)).toMatchObject({ answers: 0, oldestAt: null, slices: [] })
  })
})

describe('publishing raw answers again', () => {
  it('brings what the corrected mapping makes to the topics, in a version that replaces the old one', async () => {
    await using s = await setup(3)
    const ports = { ...s.ports, providers: dearer }
    const { slices } = await lookAgain(ports, all(s.clock))
    const told: number[] = []
    const done = await publishAgain(ports, all(s.clock), slices, n => told.push(n))
    expect(done).toEqual({ answers: 3, records: 3, deadLetters: 0, stoppedAt: null, why: 'done' })
    expect(told).toEqual([3])
    const quotes = await quotesOf(s.broker)
    expect(quotes.map(q => q.revision)).toEqual([0, 0, 0, 1, 1, 1])
    expect(new Set(quotes.filter(q => q.revision === 1).map(q => q.price))).toEqual(new Set(['1.50']))
    // A second look compares with what was just published.
    expect(await lookAgain(ports, all(s.clock))).toMatchObject({ changed: 0, added: 0 })
    expect(await lookAgain(s.ports, all(s.clock))).toMatchObject({ changed: 3 })
  })

  it('leaves answers alone that were not selected', async () => {
    await using s = await setup(3)
    const range = { from: addMs(start, MINUTE), to: s.clock.now(), provider: coinmarketcap.id }
    const { slices } = await lookAgain(s.ports, range)
    expect(await publishAgain(s.ports, range, slices, () => undefined)).toMatchObject({ answers: 2 })
    const none = { ...range, provider: ProviderId('kraken') }
    const same = await publishAgain(s.ports, none, slices, () => undefined)
    expect(same).toMatchObject({ answers: 0, why: 'done' })
  })

  it('stops between two slices, and tells from when to go on', async () => {
    await using s = await setup(3)
    const stop = new AbortController()
    const ports = { ...s.ports, signal: stop.signal }
    const cut = addMs(start, MINUTE)
    const range = all(s.clock)
    const slices = [
      { from: range.from, to: cut, answers: 1 },
      { from: cut, to: range.to, answers: 2 },
    ]
    const done = await publishAgain(ports, range, slices, () => stop.abort())
    expect(done).toMatchObject({ answers: 1, stoppedAt: cut, why: 'stopped' })
    expect((await quotesOf(s.broker)).filter(q => q.revision === 1)).toHaveLength(1)
  })

  it('waits for another publisher, then says that the answers wait', async () => {
    await using s = await setup(1)
    await s.ledger.outbox.acquireLease('another', s.clock.now(), 30_000)
    const clock: Clock = { now: () => s.clock.now(), monotonicMs: () => 0, sleep: async () => undefined }
    const { slices } = await lookAgain(s.ports, all(s.clock))
    const done = await publishAgain({ ...s.ports, clock }, all(s.clock), slices, () => undefined)
    expect(done).toMatchObject({ answers: 1, why: 'other' })
    expect((await s.ledger.outbox.stats()).pending).toBe(1)
  })
})
