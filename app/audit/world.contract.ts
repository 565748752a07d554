import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { AssetId, Credits, DecimalString, type EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Ledger, OutboxEntry, VanishedAnswer } from '../../core/ports/ledger.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { addMs, DAY, MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { openSqliteReader } from '../../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../../processors/sinks/sqlite/sink.ts'
import type { AuditStore } from './store.ts'
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import { deadLetterMessage, marketRecordMessage, marketTopics, quoteMessage } from '../../topics/messages.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import type { Broker } from '../../core/ports/broker.ts'
import { type AuditPorts, audit, type DerivedRecords } from './audit.ts'
import type { AuditReport } from './report.ts'

const topics = topicTable()
/** Names of the stores, and with them of their groups. */
const groupOf = (store: string) => (topic: string) =>
  topic === topics.quotes.name ? `sink.${store}` : `sink.${store}.${topic}`
export const now = parseIso('2026-11-21T12:00:30Z')
export const from = addMs(now, -DAY)
const letterIdOf = (answerId: string): string => `letter ${answerId}`

export const quote = (observedAt: EpochMicros, receivedAt: EpochMicros, price = '1.0'): Quote => ({
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
export interface Answer {
  readonly id: string
  readonly made: readonly Quote[] | Error
  /** Figures and gaps. */
  readonly beside?: readonly MarketRecord[]
}

export interface World {
  readonly answers?: readonly Answer[]
  readonly topic?: readonly Quote[]
  readonly store?: readonly Quote[]
  readonly letters?: readonly string[]
  /** The store's group put the whole topic into the dead letters. */
  readonly refused?: boolean
  readonly vanished?: readonly VanishedAnswer[]
  readonly marketTopic?: readonly MarketRecord[]
  readonly marketStore?: readonly MarketRecord[]
  /** A second store; what it does not say is as in the first. */
  readonly second?: SecondStore
  /** In their place stores that are there already: real servers. */
  readonly stores?: readonly AuditStore[]
  /** How many of the topic's first messages retention has removed, and of how long it is. */
  readonly retention?: { readonly removed: number; readonly ms: number }
}

export interface SecondStore extends Partial<Pick<AuditStore, 'hasBars' | 'receivedFrom' | 'observedFrom'>> {
  readonly store?: readonly Quote[]
  readonly marketStore?: readonly MarketRecord[]
  /** Its group put the whole topic into the dead letters. */
  readonly refused?: boolean
  /** How many of the last prices of the topic its group has not committed. */
  readonly behind?: number
}

let folder = ''
let worlds = 0
/** To be called once in each test file: a folder for the stores of each test. */
export function useAudit(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cryptos-audit-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
}

const entryOf = ({ id, made, beside = [] }: Answer) =>
  ({
    ...{ answerId: id, provider: ProviderId('coinmarketcap'), dataset: 'quotes', receivedAt: addMs(now, -1) },
    ...{ publishedAt: now, made, beside },
  }) as unknown as OutboxEntry

function derive(entry: OutboxEntry): DerivedRecords {
  const { made, beside = [] } = entry as unknown as Answer
  if (made instanceof Error) return { quotes: [], market: beside, error: made }
  return { quotes: made, market: beside }
}

const opened: AuditStore[] = []

async function storeWith(name: string, quotes: readonly Quote[], records: readonly MarketRecord[]) {
  worlds += 1
  const file = join(folder, `${worlds}.db`)
  const clock = new VirtualClock(now)
  const sink = await openSqliteSink({ file, clock })
  const group = `sink.${name}`
  await sink.write(quotes, { group, topic: topics.quotes.name, partition: 0, first: 0, end: quotes.length })
  await sink.market.write(records, { group: 'm', topic: 'm', partition: 0, first: 0, end: 1 })
  await sink.close()
  const store: AuditStore = {
    ...{ name, reader: await openSqliteReader({ file }), groupOf: groupOf(name), hasBars: true },
    openRepairer: async () => {
      const again = await openSqliteSink({ file, clock })
      const source = { group: 'audit', topic: 'repair', partition: 0, first: 0, end: 0 }
      return {
        quotes: async rows => void (await again.write(rows, source)),
        market: async rows => void (await again.market.write(rows, source)),
        close: () => again.close(),
      }
    },
  }
  opened.push(store)
  return store
}

async function storesOf(world: World): Promise<readonly AuditStore[]> {
  const { topic = [], store = topic, second } = world
  const { marketTopic = [], marketStore = marketTopic } = world
  const first = await storeWith('sqlite', store, marketStore)
  if (!second) return [first]
  const { store: rows = store, marketStore: records = marketStore, refused: _, behind: __, ...more } = second
  return [first, { ...(await storeWith('second', rows, records)), ...more }]
}

/** The audit of what is in each place; everything in the topic was stored, or is on the way nowhere. */
export async function audited(world: World): Promise<AuditReport> {
  return await inWorld(world, ports => audit(ports, from, now))
}

/** The ports of an audit of what is in each place. */
export async function inWorld<T>(world: World, work: (ports: AuditPorts) => Promise<T>): Promise<T> {
  const { answers = [], topic = [], letters = [], vanished = [], marketTopic = [], retention } = world
  const broker = await openMemoryBroker({ clock: new VirtualClock(now) })
  await broker.createTopics(usedTopics(topics))
  await broker.produce(topic.map(q => quoteMessage(topics.quotes.name, q)))
  await broker.produce(marketTopic.map(r => marketRecordMessage(topics, r)))
  await broker.produce(letters.map(id => deadLetterMessage(topics.deadLetters.name, letterOf(id))))
  if (world.refused) await refuseAll(broker, 'sqlite')
  if (world.second?.refused) await refuseAll(broker, 'second')
  const between = async function* (): AsyncGenerator<OutboxEntry> {
    yield* answers.map(entryOf)
  }
  const retentionMs = retention === undefined ? {} : { retentionMs: retention.ms }
  const quotes = { topic: topics.quotes.name, ...retentionMs }
  const market = marketTopics.map(id => ({ topic: topics[id].name }))
  const ends = await Promise.all([quotes, ...market].map(t => broker.partitions(t.topic)))
  const behindOf = (of: string): number => (of === 'sink.second' ? (world.second?.behind ?? 0) : 0)
  const committed = async (of: string) =>
    ends.flat().map(s => ({ ...s, group: of, offset: Math.max(0, s.end - behindOf(of)) }))
  const isLost = (m: { readonly topic: string; readonly offset: number }): boolean =>
    m.topic === quotes.topic && m.offset < (retention?.removed ?? 0)
  const read: typeof broker.read = async function* (name, place) {
    for await (const message of broker.read(name, place)) if (!isLost(message)) yield message
  }
  const partitions: typeof broker.partitions = async name =>
    (await broker.partitions(name)).map(s =>
      isLost({ topic: name, offset: s.begin }) ? { ...s, begin: 1 } : s,
    )
  const ports: AuditPorts = {
    ledger: { outbox: { between, vanished: async () => vanished } } as unknown as Ledger,
    broker: Object.assign(Object.create(broker), { committed, read, partitions }) as typeof broker,
    ...{ stores: world.stores ?? (await storesOf(world)), codec: quoteJson, marketCodec: marketRecordJson },
    ...{ deadLetters: topics.deadLetters, quotes, market, derive, letterIdOf },
  }
  try {
    return await work(ports)
  } finally {
    for (const { reader } of opened.splice(0)) await reader.close()
    await broker.close()
  }
}

async function refuseAll(broker: Broker, store: string): Promise<void> {
  const places = await Array.fromAsync(broker.read(topics.quotes.name, { offset: 0 }))
  const ids = places.map(place => letterIdAt(`sink.${store}`, place))
  await broker.produce(ids.map(id => deadLetterMessage(topics.deadLetters.name, { ...letterOf(''), id })))
}

const letterOf = (id: string) => ({
  ...{ kind: 'dead-letter' as const, id: letterIdOf(id), stage: 'collectors', topic: '' },
  ...{ partition: -1, offset: -1, code: 'CRY_PROVIDER_PAYLOAD', reason: 'test', at: now },
  ...{ bytes: '', headers: {} },
})

export const fresh = quote(addMs(now, -2 * MINUTE), addMs(now, -MINUTE))
