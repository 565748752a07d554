import { CryptosError } from '../core/errors.ts'
import type { TopicSpec } from '../core/ports/broker.ts'
import { DAY } from '../core/time.ts'

/** How the values of a topic are encoded. */
export type TopicFormat = 'json' | 'avro'

export interface TopicRow extends TopicSpec {
  readonly format: TopicFormat
  /** How the key is made, for the reference. */
  readonly key: string
  readonly doc: string
  /** Whether this version writes to it; `cryptos topics create` makes only these. */
  readonly used: boolean
}

const KIB = 1_024
const MIB = 1_024 * KIB

/** The topic table of design.md. Partitions can not be changed later without moving keys, so they are chosen for growth. */
const rows = {
  quotes: {
    name: 'market.quotes.v1',
    partitions: 4,
    retentionMs: 7 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'provider|asset|currency',
    doc: 'One price of one asset, as one provider said it',
    used: true,
  },
  metrics: {
    name: 'market.metrics.v1',
    partitions: 2,
    retentionMs: 7 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'provider|name|currency',
    doc: 'One figure of a whole market, as one provider said it',
    used: true,
  },
  consensus: {
    name: 'market.consensus.v1',
    partitions: 2,
    retentionMs: 7 * DAY,
    // Every source with its reason.
    maxMessageBytes: 64 * KIB,
    format: 'json',
    key: 'asset|currency',
    doc: 'The median of the live sources each minute, and which source serves',
    used: true,
  },
  sourceEvents: {
    name: 'source.events.v1',
    partitions: 2,
    retentionMs: 7 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'provider|asset|currency',
    doc: 'What is wrong with a source: values that did not come, doubts about values that did',
    used: true,
  },
  trades: {
    name: 'market.trades.v1',
    partitions: 12,
    retentionMs: 2 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'avro',
    key: 'venue|product',
    doc: 'Single trades of exchange streams',
    used: false,
  },
  tickers: {
    name: 'market.tickers.v1',
    partitions: 6,
    retentionMs: 2 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'avro',
    key: 'venue|product',
    doc: 'Best bid, best ask and last price of exchange streams',
    used: false,
  },
  bars: {
    name: 'market.bars.v1',
    partitions: 4,
    retentionMs: 30 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'venue|product',
    doc: 'Windows over trades and tickers',
    used: false,
  },
  vwap: {
    name: 'vwap',
    partitions: 1,
    retentionMs: 30 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'pair',
    doc: 'Volume-weighted cross prices per batch',
    used: false,
  },
  quotaEvents: {
    name: 'quota.events.v1',
    partitions: 1,
    retentionMs: 30 * DAY,
    maxMessageBytes: 16 * KIB,
    format: 'json',
    key: 'scope',
    doc: 'What happened to a quota scope, in the order of its ledger',
    used: true,
  },
  deadLetters: {
    name: 'dead-letter.v1',
    partitions: 1,
    retentionMs: 30 * DAY,
    // The bytes travel as base64: 4/3 of the largest answer or message, and room for headers.
    maxMessageBytes: 16 * MIB,
    format: 'json',
    key: 'id of the letter; a tombstone means: replayed',
    doc: 'Messages and answers that could not be used, with their very bytes',
    used: true,
  },
} as const satisfies Record<string, TopicRow>

export type TopicId = keyof typeof rows
export type TopicTable = Readonly<Record<TopicId, TopicRow>>

const prefixPattern = /^[A-Za-z0-9._-]{0,64}$/

/**
 * The topics of one installation; `prefix` goes before every name (`team-a.`).
 * @throws CryptosError CRY_CONFIG_INVALID for a prefix that Kafka would refuse
 */
export function topicTable(prefix = ''): TopicTable {
  if (!prefixPattern.test(prefix))
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      'a topic prefix has at most 64 letters, digits, dots, dashes and underscores',
    )
  const named = Object.entries(rows).map(([id, row]) => [id, { ...row, name: `${prefix}${row.name}` }])
  return Object.fromEntries(named) as TopicTable
}

/** The rows that this version writes to. */
export const usedTopics = (table: TopicTable): readonly TopicRow[] => Object.values(table).filter(t => t.used)
