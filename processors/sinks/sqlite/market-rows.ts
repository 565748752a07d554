import { marketRecordAt, marketRecordId, marketRecordVersion } from '../../../core/records.ts'
import type { MarketRecord } from '../../../core/records.ts'
import type { SqlRow, SqlValue } from '../../../host/sqlite.ts'
import { marketRecordJson } from '../../../topics/codecs/market-record-json.ts'

const utf8 = new TextDecoder()

/** Identity without its time: of these the newest is the latest. No part of an id has a separator in it. */
export function seriesOf(record: MarketRecord): string {
  const parts = marketRecordId(record).split('|')
  // provider|asset|currency|observedAt|flag
  const time = record.kind === 'source-flag' ? parts.length - 2 : parts.length - 1
  return parts.filter((_, i) => i !== time).join('|')
}

/** Only these say what is so now. */
export const isCurrent = ({ origin }: MarketRecord): boolean => origin === 'live' || origin === 'sandbox'

/** Values of a row: id, kind, provider, asset, currency, at, version, body. */
export const valuesOf = (record: MarketRecord): SqlValue[] => [
  marketRecordId(record),
  record.kind,
  ('provider' in record ? record.provider : null) ?? null,
  'asset' in record ? record.asset : null,
  record.currency ?? null,
  marketRecordAt(record),
  marketRecordVersion(record),
  utf8.decode(marketRecordJson.encode(record)),
]

/** A stored row is what a checked record was, so it is read back without checking again. */
export const recordOf = (row: SqlRow): MarketRecord => JSON.parse(String(row['body'])) as MarketRecord
