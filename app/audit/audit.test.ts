import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, type EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Ledger, OutboxEntry, VanishedAnswer } from '../../core/ports/ledger.ts'
import { type Quote, quoteId } from '../../core/records.ts'
import { addMs, DAY, MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { openSqliteReader } from '../../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../../processors/sinks/sqlite/sink.ts'
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import { deadLetterMessage, quoteMessage } from '../../topics/messages.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { type AuditReport, audit } from './audit.ts'

const topics = topicTable()
const group = 'sink.sqlite'
const now = parseIso('2026-11-21T12:00:30Z')
const from = addMs(now, -DAY)
const letterIdOf = (answerId: string): string => `letter ${answerId}`

const quote = (observedAt: EpochMicros, receivedAt: EpochMicros, price = '1.0'): Quote => ({
  kind: 'quote',
  provider: ProviderId('coinmarketcap'),
  asset: AssetId('bitcoin'),
  symbol: 'BTC',
  sourceId: '1',
  currency: 'USD',
  price: DecimalString(price),
  observedAt,
  observedBy: 'source',
  receivedAt,
  revision: 0,
  origin: 'live',
  runId: 'run',
  credits: Credits(1),
  rawRef: `answer ${receivedAt}`,
})

/** An answer as the outbox has it; the error is what its mapping throws. */
interface Answer {
  readonly id: string
  readonly made: readonly Quote[] | Error
}

interface World {
  readonly answers?: readonly Answer[]
  readonly topic?: readonly Quote[]
  readonly store?: readonly Quote[]
  readonly letters?: readonly string[]
  /** The store's group put the whole topic into the dead letters. */
  readonly refused?: boolean
  readonly vanished?: readonly VanishedAnswer[]
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-audit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const entryOf = ({ id, made }: Answer) =>
  ({
    ...{ answerId: id, provider: ProviderId('coinmarketcap'), dataset: 'quotes', receivedAt: addMs(now, -1) },
    ...{ publishedAt: now, made },
  }) as unknown as OutboxEntry

function mapEntry(entry: OutboxEntry): readonly Quote[] {
  const { made } = entry as unknown as Answer
  if (made instanceof Error) throw made
  return made
}

/** The audit of what is in each place; everything in the topic was stored, or is on the way nowhere. */
async function audited(world: World): Promise<AuditReport> {
  const { answers = [], topic = [], store = topic, letters = [], vanished = [] } = world
  const clock = new VirtualClock(now)
  const broker = await openMemoryBroker({ clock })
  await broker.createTopics(usedTopics(topics))
  await broker.produce(topic.map(q => quoteMessage(topics.quotes.name, q)))
  await broker.produce(letters.map(id => deadLetterMessage(topics.deadLetters.name, letterOf(id))))
  if (world.refused) {
    const places = await Array.fromAsync(broker.read(topics.quotes.name, { offset: 0 }))
    const ids = places.map(place => letterIdAt(group, place))
    await broker.produce(ids.map(id => deadLetterMessage(topics.deadLetters.name, { ...letterOf(''), id })))
  }
  const sink = await openSqliteSink({ file: join(folder, 'series.db'), clock })
  await sink.write(store, { group, topic: topics.quotes.name, partition: 0, first: 0, end: store.length })
  await sink.close()
  const reader = await openSqliteReader({ file: join(folder, 'series.db') })
  const between = async function* (): AsyncGenerator<OutboxEntry> {
    yield* answers.map(entryOf)
  }
  const ends = await broker.partitions(topics.quotes.name)
  const committed = async () => ends.map(s => ({ ...s, group, offset: s.end }))
  const ports = {
    ledger: { outbox: { between, vanished: async () => vanished } } as unknown as Ledger,
    broker: Object.assign(Object.create(broker), {
      committed,
      read: broker.read.bind(broker),
    }) as typeof broker,
    ...{ reader, codec: quoteJson, topic: topics.quotes.name, deadLetters: topics.deadLetters, group },
    ...{ map: mapEntry, letterIdOf },
  }
  try {
    return await audit(ports, from, now)
  } finally {
    await reader.close()
    await broker.close()
  }
}

const letterOf = (id: string) => ({
  ...{ kind: 'dead-letter' as const, id: letterIdOf(id), stage: 'collectors', topic: '' },
  ...{ partition: -1, offset: -1, code: 'CRY_PROVIDER_PAYLOAD', reason: 'test', at: now },
  ...{ bytes: '', headers: {} },
})

const fresh = quote(addMs(now, -2 * MINUTE), addMs(now, -MINUTE))

describe('an audit of a day', () => {
  it('finds the row of a price that the source says is days old', async () => {
    const stale = quote(addMs(now, -3 * DAY), addMs(now, -MINUTE))
    const world = { answers: [{ id: 'a', made: [stale, fresh] }], topic: [stale, fresh] }
    expect(await audited(world)).toMatchObject({ differences: [], rows: { answers: 2, topic: 2, store: 2 } })
  })

  it('still misses such a row where it is not', async () => {
    const stale = quote(addMs(now, -3 * DAY), addMs(now, -MINUTE))
    const world = { answers: [{ id: 'a', made: [stale] }], topic: [stale], store: [] }
    expect((await audited(world)).differences).toMatchObject([{ kind: 'missing', in: 'store' }])
  })

  it('takes a row that a later answer replaced after its end as replaced, not as missing', async () => {
    const again = quote(fresh.observedAt, addMs(now, 1_000), '2.0')
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh, again] }
    expect(await audited(world)).toMatchObject({ differences: [], rows: { store: 0 } })
  })

  it('misses a row where only an older one is', async () => {
    const older = quote(fresh.observedAt, addMs(from, -1_000))
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh], store: [older] }
    expect((await audited(world)).differences).toMatchObject([{ kind: 'missing', in: 'store' }])
  })

  it('finds an answer in the dead letters, whatever its mapping threw or whoever refused its records', async () => {
    const world = {
      answers: [
        { id: 'payload', made: new CryptosError('CRY_PROVIDER_PAYLOAD', 'no') },
        { id: 'context', made: new CryptosError('CRY_RECORD_INVALID', 'no') },
        { id: 'bug', made: new TypeError('no') },
        // As when one of its messages was too large for the topic.
        { id: 'refused', made: [fresh] },
      ],
      letters: ['payload', 'context', 'bug', 'refused'],
    }
    expect(await audited(world)).toMatchObject({ answers: 4, unmapped: 4, differences: [] })
  })

  it('names an answer that was neither published nor put into the dead letters', async () => {
    const made = new CryptosError('CRY_PROVIDER_PAYLOAD', 'no')
    const { differences, unmapped } = await audited({ answers: [{ id: 'gone', made }] })
    expect(unmapped).toBe(1)
    expect(differences).toEqual([
      { kind: 'missing', in: 'dead letters', group: 'coinmarketcap quotes 2026-11-21T12Z', id: 'gone' },
    ])
  })

  it('wants all rows of an answer that was published after it had been in the dead letters', async () => {
    const other = quote(addMs(now, -3 * MINUTE), fresh.receivedAt)
    const world = {
      answers: [{ id: 'a', made: [fresh, other] }],
      letters: ['a'],
      topic: [fresh],
      store: [fresh],
    }
    expect((await audited(world)).differences.map(d => [d.in, d.id])).toEqual([
      ['topic', quoteId(other)],
      ['store', quoteId(other)],
    ])
    expect((await audited({ ...world, topic: [fresh, other], store: [fresh, other] })).differences).toEqual(
      [],
    )
  })

  it('finds a record in the dead letters that the store did not take', async () => {
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh], store: [], refused: true }
    expect(await audited(world)).toMatchObject({ differences: [], refused: 1, pending: 0 })
  })

  it('names an answer of a settled slot that the outbox does not have', async () => {
    const vanished = [{ answerId: 'kraken/ticker/2026-11-21T11:59:00.000Z/0#1', at: addMs(now, -MINUTE) }]
    expect((await audited({ vanished })).differences).toEqual([
      { kind: 'missing', in: 'outbox', group: 'kraken ticker 2026-11-21T11Z', id: vanished[0]!.answerId },
    ])
  })

  it('names two copies of one record that are not alike', async () => {
    const copy = { ...fresh, price: DecimalString('1.1') }
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh, copy], store: [fresh] }
    expect((await audited(world)).differences).toMatchObject([
      { kind: 'conflict', in: 'topic', id: quoteId(fresh) },
    ])
  })
})
