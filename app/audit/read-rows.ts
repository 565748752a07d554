import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { MarketKind, MarketReader, QuoteReader } from '../../core/ports/reader.ts'
import {
  type MarketRecord,
  marketRecordVersion,
  type Quote,
  quoteId,
  quoteVersion,
} from '../../core/records.ts'
import { addMs, DAY, MINUTE } from '../../core/time.ts'
import type { Range } from './read-answers.ts'
import { isIn } from './read-topic.ts'
import type { MarketSide, QuoteSide } from './side.ts'
import type { Views } from './views.ts'

export interface Stored {
  /** Versions by id of rows that were received after the range: each may have replaced one that is looked for. */
  readonly later: Map<string, number>
  /** Time of the source of the rows that were all read. */
  readonly span: Range
}

/** Rows lie by the time of the source, so a day more is read. */
const spanOf = (range: Range): Range => ({ from: addMs(range.from, -DAY), to: addMs(range.to, 10 * MINUTE) })

/**
 * Fills the store's sides with prices, and each row of `wanted` (ids) that is older or newer still by its key: a provider may send a
 * price of last week.
 */
export async function readStore(
  reader: QuoteReader,
  range: Range,
  wanted: Iterable<string>,
  to: { readonly sideOf: (quote: Quote) => QuoteSide; readonly views: Views },
): Promise<Stored> {
  const span = spanOf(range)
  const later = new Map<string, number>()
  const take = (quote: Quote): void => {
    if (isIn(range, quote)) to.sideOf(quote).add(quote)
    else if (quote.receivedAt >= range.to) later.set(quoteId(quote), quoteVersion(quote))
  }
  for await (const quote of reader.rows(span)) {
    to.views.add(quote)
    take(quote)
  }
  for (const id of new Set(wanted)) {
    const at = Number(id.split('|')[3])
    if (at >= span.from && at < span.to) continue
    for await (const quote of rowsOf(reader, id)) take(quote)
  }
  return { later, span }
}

/** The row of an id, if it is there. */
export async function* rowsOf(reader: QuoteReader, id: string): AsyncIterable<Quote> {
  const [provider, asset, , time] = id.split('|')
  const at = Number(time) as EpochMicros
  const key = { provider: provider as ProviderId, asset: asset as AssetId }
  for await (const quote of reader.rows({ ...key, from: at, to: (at + 1) as EpochMicros }))
    if (quoteId(quote) === id) yield quote
}

const kinds: readonly MarketKind[] = ['metric', 'gap', 'source-flag', 'consensus', 'serving']

export interface WantedRecord {
  readonly id: string
  readonly kind: MarketKind
  readonly at: EpochMicros
}

/** The same with the records beside prices. `each` sees every one of the range. */
export async function readMarket(
  reader: MarketReader,
  range: Range,
  wanted: Iterable<WantedRecord>,
  to: {
    readonly sideOf: (record: MarketRecord) => MarketSide
    readonly each: (record: MarketRecord) => Promise<void>
  },
): Promise<ReadonlyMap<string, number>> {
  const span = spanOf(range)
  const later = new Map<string, number>()
  const take = async (record: MarketRecord): Promise<void> => {
    const side = to.sideOf(record)
    if (isIn(range, record)) {
      side.add(record)
      await to.each(record)
    } else if (record.receivedAt >= range.to) later.set(side.idOf(record), marketRecordVersion(record))
  }
  for (const kind of kinds)
    for await (const record of reader.allRecords({ ...span, kind })) await take(record)
  const distinct = new Map([...wanted].map(record => [record.id, record]))
  for (const { id, kind, at } of distinct.values()) {
    if (at >= span.from && at < span.to) continue
    const moment = { from: at, to: (at + 1) as EpochMicros }
    for await (const record of reader.allRecords({ ...moment, kind }))
      if (to.sideOf(record).idOf(record) === id) await take(record)
  }
  return later
}
