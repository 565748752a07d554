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
import { openMemoryBroker } from '../../topics/brokers/memory.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import { deadLetterMessage, marketRecordMessage, marketTopics, quoteMessage } from '../../topics/messages.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { type AuditReport, audit, type DerivedRecords } from './audit.ts'

const topics = topicTable()
const group = 'sink.sqlite'
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

/** The audit of what is in each place; everything in the topic was stored, or is on the way nowhere. */
export async function audited(world: World): Promise<AuditReport> {
  const { answers = [], topic = [], store = topic, letters = [], vanished = [] } = world
  const { marketTopic = [], marketStore = marketTopic } = world
  const clock = new VirtualClock(now)
  worlds += 1
  const file = join(folder, `${worlds}.db`)
  const broker = await openMemoryBroker({ clock })
  await broker.createTopics(usedTopics(topics))
  await broker.produce(topic.map(q => quoteMessage(topics.quotes.name, q)))
  await broker.produce(marketTopic.map(r => marketRecordMessage(topics, r)))
  await broker.produce(letters.map(id => deadLetterMessage(topics.deadLetters.name, letterOf(id))))
  if (world.refused) {
    const places = await Array.fromAsync(broker.read(topics.quotes.name, { offset: 0 }))
    const ids = places.map(place => letterIdAt(group, place))
    await broker.produce(ids.map(id => deadLetterMessage(topics.deadLetters.name, { ...letterOf(''), id })))
  }
  const sink = await openSqliteSink({ file, clock })
  await sink.write(store, { group, topic: topics.quotes.name, partition: 0, first: 0, end: store.length })
  await sink.market.write(marketStore, { group: 'm', topic: 'm', partition: 0, first: 0, end: 1 })
  await sink.close()
  const reader = await openSqliteReader({ file })
  const between = async function* (): AsyncGenerator<OutboxEntry> {
    yield* answers.map(entryOf)
  }
  const market = marketTopics.map(id => ({ topic: topics[id].name, group: `${group}.${id}` }))
  const quotes = { topic: topics.quotes.name, group }
  const ends = await Promise.all([quotes, ...market].map(t => broker.partitions(t.topic)))
  const committed = async (of: string) => ends.flat().map(s => ({ ...s, group: of, offset: s.end }))
  const ports = {
    ledger: { outbox: { between, vanished: async () => vanished } } as unknown as Ledger,
    broker: Object.assign(Object.create(broker), {
      committed,
      read: broker.read.bind(broker),
    }) as typeof broker,
    ...{ reader, codec: quoteJson, marketCodec: marketRecordJson, deadLetters: topics.deadLetters },
    ...{ quotes, market, derive, letterIdOf },
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

export const fresh = quote(addMs(now, -2 * MINUTE), addMs(now, -MINUTE))
