import { marketRecordAt, marketRecordVersion } from '../../../core/records.ts'
import type { MarketRecord } from '../../../core/records.ts'
import { marketRecordJson } from '../../../topics/codecs/market-record-json.ts'
import { saysNow } from '../rows-to-history.ts'
import { fieldFloat, fieldText } from './line.ts'
import type { PointShape } from './point-shape.ts'
import { keyOf } from './stored.ts'
import type { Measurement, Tags } from './stored.ts'

/**
 * A record beside quotes is one point of the measurement of its kind: tags = its identity without the time, field `body` = the record,
 * `live` as of quotes, and what charts and filters need.
 */
type Kind = MarketRecord['kind']

const pointsOfKind = (name: Kind, tags: readonly string[]): Measurement => ({ name, tags, text: 'body' })
export const marketPoints: Readonly<Record<Kind, Measurement>> = {
  metric: pointsOfKind('metric', ['provider', 'name', 'currency']),
  gap: pointsOfKind('gap', ['provider', 'dataset', 'asset', 'currency']),
  'source-flag': pointsOfKind('source-flag', ['provider', 'asset', 'currency', 'flag']),
  consensus: pointsOfKind('consensus', ['asset', 'currency']),
  serving: pointsOfKind('serving', ['role', 'asset', 'currency']),
}
export const marketKinds = Object.keys(marketPoints) as readonly Kind[]

function tagsOf(record: MarketRecord): Tags {
  const { tags } = marketPoints[record.kind]
  const fields = record as unknown as Readonly<Record<string, string | undefined>>
  return Object.fromEntries(tags.flatMap(tag => (fields[tag] === undefined ? [] : [[tag, fields[tag]]])))
}

/** Fields for charts, each ended by a comma; they are of any version of their record. */
function chartFields(record: MarketRecord): string {
  switch (record.kind) {
    case 'metric':
      return float('value', record.value)
    case 'gap':
      return `state=${fieldText(record.state)},`
    case 'source-flag':
      return ''
    case 'consensus':
      return `${float('price', record.price)}${float('spreadPercent', record.spreadPercent)}isDivergent=${record.isDivergent},`
    case 'serving':
      // Always there, so that the one of an earlier version never stands beside this one.
      return `${float('price', record.price)}servedBy=${fieldText(record.provider ?? '')},`
  }
}

function float(name: string, decimal: string | null): string {
  const text = decimal === null ? undefined : fieldFloat(decimal)
  return text === undefined ? '' : `${name}=${text},`
}

const utf8 = new TextDecoder()
export const bodyOf = (record: MarketRecord): string => utf8.decode(marketRecordJson.encode(record))

/** A stored record is what a checked one was, so it is read back without checking again. */
export const recordOf = (body: string): MarketRecord => JSON.parse(body) as MarketRecord

const keyOfRecord = (record: MarketRecord): string => keyOf(marketPoints[record.kind], tagsOf(record))

export const marketShape: PointShape<MarketRecord> = {
  measurement: record => marketPoints[record.kind],
  tags: tagsOf,
  key: keyOfRecord,
  isSameSeries: (a, b) => a.kind === b.kind && keyOfRecord(a) === keyOfRecord(b),
  at: marketRecordAt,
  version: marketRecordVersion,
  isLive: saysNow,
  line: (head, record, isLive) =>
    `${head} ${chartFields(record)}${isLive ? 'live=true,' : ''}body=${fieldText(bodyOf(record))} ${marketRecordAt(record)}`,
  versionOf: body => marketRecordVersion(recordOf(body)),
}

/** Identity without its time, in the order of the screens. */
export const seriesOf = (record: MarketRecord): string => marketShape.key(record)
