import type { EpochMicros } from '../core/brands.ts'
import type { StoredMessage, TopicMessage } from '../core/ports/broker.ts'
import type { Codec } from '../core/ports/codec.ts'
import { marketRecordId, quoteId } from '../core/records.ts'
import type { DeadLetter, MarketRecord, QuotaEvent, Quote } from '../core/records.ts'
import { deadLetterJson } from './codecs/dead-letter-json.ts'
import { marketRecordJson } from './codecs/market-record-json.ts'
import { quotaEventJson } from './codecs/quota-event-json.ts'
import { quoteJson } from './codecs/quote-json.ts'
import type { TopicId, TopicTable } from './table.ts'

/** Names of the headers that every message of ours carries. */
export const headerNames = { schema: 'schema', recordId: 'record-id', runId: 'run-id' } as const

/** Key of a quote: its series, so that one series keeps its order. */
export const quoteKey = (q: Pick<Quote, 'provider' | 'asset' | 'currency'>): string =>
  `${q.provider}|${q.asset}|${q.currency}`

/** The message of a quote. Its timestamp is when we received it: retention counts from there, also for old prices of a backfill. */
export const quoteMessage = (topic: string, quote: Quote, codec: Codec<Quote> = quoteJson): TopicMessage => ({
  topic,
  key: quoteKey(quote),
  value: codec.encode(quote),
  headers: {
    [headerNames.schema]: codec.schema,
    [headerNames.recordId]: quoteId(quote),
    [headerNames.runId]: quote.runId,
  },
  timestamp: quote.receivedAt,
})

/** The topics that carry records of the market beside quotes. */
export const marketTopics = ['metrics', 'consensus', 'sourceEvents'] as const satisfies readonly TopicId[]
export type MarketTopicId = (typeof marketTopics)[number]

const topicByKind = {
  metric: 'metrics',
  gap: 'sourceEvents',
  'source-flag': 'sourceEvents',
  consensus: 'consensus',
  serving: 'consensus',
} as const satisfies Record<MarketRecord['kind'], MarketTopicId>

function marketKey(r: MarketRecord): string {
  if (r.kind === 'metric') return `${r.provider}|${r.name}|${r.currency ?? ''}`
  // Whichever source serves: the roles of one asset stay in order.
  if (r.kind === 'consensus' || r.kind === 'serving') return `${r.asset}|${r.currency}`
  return `${r.provider}|${r.asset}|${r.currency}`
}

/** The message of any record beside a quote, in the topic of its kind. Retention counts from when we received it or worked it out. */
export const marketRecordMessage = (topics: TopicTable, record: MarketRecord): TopicMessage => ({
  topic: topics[topicByKind[record.kind]].name,
  key: marketKey(record),
  value: marketRecordJson.encode(record),
  headers: {
    [headerNames.schema]: marketRecordJson.schema,
    [headerNames.recordId]: marketRecordId(record),
    ...('runId' in record ? { [headerNames.runId]: record.runId } : {}),
  },
  timestamp: record.receivedAt,
})

export const quotaEventMessage = (topic: string, event: QuotaEvent): TopicMessage => ({
  topic,
  key: event.scope,
  value: quotaEventJson.encode(event),
  headers: {
    [headerNames.schema]: quotaEventJson.schema,
    [headerNames.recordId]: `${event.ledger}|${event.sequence}`,
  },
  timestamp: event.at,
})

/** Key of a dead letter is its id, so that a tombstone of the same key marks it as replayed. */
export const deadLetterMessage = (topic: string, letter: DeadLetter): TopicMessage => ({
  topic,
  key: letter.id,
  value: deadLetterJson.encode(letter),
  headers: { [headerNames.schema]: deadLetterJson.schema, [headerNames.recordId]: letter.id },
  timestamp: letter.at,
})

export const tombstone = (topic: string, key: string, timestamp: EpochMicros): TopicMessage => ({
  topic,
  key,
  value: null,
  headers: {},
  timestamp,
})

/** Bytes that count for batch and message limits: key, value and headers as UTF-8 would be (UTF-16 units are near enough). */
export function messageBytes(message: TopicMessage | StoredMessage): number {
  let bytes = message.key.length + (message.value?.length ?? 0)
  for (const name in message.headers) bytes += name.length + (message.headers[name]?.length ?? 0)
  return bytes
}
