import type { EpochMicros } from '../../../core/brands.ts'
import type { MarketKind } from '../../../core/ports/reader.ts'
import { marketRecordAt, marketRecordId, marketRecordVersion } from '../../../core/records.ts'
import type { MarketRecord } from '../../../core/records.ts'
import { marketRecordJson } from '../../../topics/codecs/market-record-json.ts'
import { decimalBytes } from './decimals.ts'
import { dayOf } from './months.ts'
import type { Row, Statement, Value } from './session.ts'

export const marketTables: Readonly<Record<MarketKind, string>> = {
  metric: 'metrics',
  gap: 'gaps',
  'source-flag': 'source_flags',
  consensus: 'consensus',
  serving: 'serving',
}
/** First part of the id of a record. */
const kindOfPrefix: Readonly<Record<string, MarketKind>> = {
  metric: 'metric',
  gap: 'gap',
  flag: 'source-flag',
  consensus: 'consensus',
  serving: 'serving',
}

export const shards = 8

/** Never to be changed: rows are found by it. FNV-1a. */
export function shardOf(subject: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < subject.length; i += 1) hash = Math.imul(hash ^ subject.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % shards
}

/** Where a record lies. */
export interface MarketPlace {
  readonly kind: MarketKind
  readonly shard: number
  readonly day: number
  readonly at: EpochMicros
  readonly id: string
}

export const placeOf = (record: MarketRecord): MarketPlace => ({
  kind: record.kind,
  shard: shardOf(record.kind === 'metric' ? record.name : record.asset),
  day: dayOf(marketRecordAt(record)),
  at: marketRecordAt(record),
  id: marketRecordId(record),
})

/** The place of a record by its id alone; undefined for what is no id. */
export function placeOfId(id: string): MarketPlace | undefined {
  const parts = id.split('|')
  const kind = Object.hasOwn(kindOfPrefix, parts[0] ?? '') ? kindOfPrefix[parts[0] ?? ''] : undefined
  if (!kind) return undefined
  const at = Number(parts[timeIn(kind, parts.length)]) as EpochMicros
  // metric|provider|name|…, gap|provider|dataset|asset|…, flag|provider|asset|…, consensus|asset|…, serving|role|asset|…
  const subject = parts[kind === 'gap' ? 3 : kind === 'consensus' ? 1 : 2]
  if (subject === undefined || !Number.isSafeInteger(at) || at < 0) return undefined
  return { kind, shard: shardOf(subject), day: dayOf(at), at, id }
}

/** Which part of an id is its time: the last, but of a flag, which ends in its name. */
const timeIn = (kind: MarketKind, parts: number): number => (kind === 'source-flag' ? parts - 2 : parts - 1)

/** Identity without its time: of these the newest is the latest. No part of an id has a separator in it. */
export function marketSeriesOf(record: MarketRecord): string {
  const parts = marketRecordId(record).split('|')
  return parts.toSpliced(timeIn(record.kind, parts.length), 1).join('|')
}

const utf8 = new TextDecoder()

/** Columns of a kind beside its key and body. */
function columnsOf(record: MarketRecord): Readonly<Record<string, Value>> {
  const { currency } = record
  switch (record.kind) {
    case 'metric': {
      const { provider, name, value } = record
      return { provider, name, currency, value: decimalBytes(value), value_double: Number(value) }
    }
    case 'gap':
    case 'source-flag':
      return { provider: record.provider, asset: record.asset, currency }
    case 'consensus': {
      const { asset, price } = record
      return { asset, currency, price: decimalBytes(price), price_double: Number(price) }
    }
    case 'serving':
      return { asset: record.asset, currency }
  }
}

export function insertRecord(keyspace: string, record: MarketRecord, place: MarketPlace): Statement {
  const columns = columnsOf(record)
  const names = Object.keys(columns)
  const query = `INSERT INTO ${keyspace}.${marketTables[record.kind]} (shard, day, at, id, body, ${names.join(', ')})
    VALUES (?,?,?,?,?${',?'.repeat(names.length)}) USING TIMESTAMP ?`
  const body = utf8.decode(marketRecordJson.encode(record))
  const values = [place.shard, place.day, place.at, place.id, body, ...Object.values(columns)]
  return { query, params: [...values, marketRecordVersion(record)] }
}

/** A stored row is what a checked record was, so it is read back without checking again. */
export const recordIn = (row: Row): MarketRecord => JSON.parse(String(row['body'])) as MarketRecord
