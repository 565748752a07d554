import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { KeyReader, MarketKind, MarketReader, QuoteReader } from '../../core/ports/reader.ts'
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

/** What the audit reads of the store. */
export type AuditReader = QuoteReader & MarketReader & KeyReader

/**
 * Fills the store's sides with prices, and with the rows of `wanted` (ids) that are older or newer still, by their keys: a history
 * brings closes of years, and a provider may send a price of last week.
 */
export async function readStore(
  reader: AuditReader,
  range: Range,
  wanted: Iterable<string>,
  to: { readonly sideOf: (quote: Quote) => QuoteSide; readonly views: Views | undefined },
): Promise<Stored> {
  const span = spanOf(range)
  const later = new Map<string, number>()
  const take = (quote: Quote): void => {
    if (isIn(range, quote)) to.sideOf(quote).add(quote)
    else if (quote.receivedAt >= range.to) later.set(quoteId(quote), quoteVersion(quote))
  }
  for await (const quote of reader.rows(span)) {
    to.views?.add(quote)
    take(quote)
  }
  for await (const quote of rowsOf(reader, outside(span, wanted))) take(quote)
  return { later, span }
}

/** The ids outside of the span. */
function* outside(span: Range, ids: Iterable<string>): Iterable<string> {
  for (const id of ids) {
    const at = timeOf(id)
    if (at < span.from || at >= span.to) yield id
  }
}

const timeOf = (id: string): EpochMicros => Number(id.slice(id.lastIndexOf('|') + 1)) as EpochMicros

/** The rows of some ids, as far as they are there. */
export async function* rowsOf(reader: KeyReader, ids: Iterable<string>): AsyncIterable<Quote> {
  for (const { key, moments } of bySeries(ids))
    yield* reader.rowsAt(
      key,
      [...moments].sort((a, b) => a - b),
    )
}

interface SeriesMoments {
  readonly key: Pick<Quote, 'provider' | 'asset' | 'currency'>
  readonly moments: Set<EpochMicros>
}

function bySeries(ids: Iterable<string>): Iterable<SeriesMoments> {
  const found = new Map<string, SeriesMoments>()
  for (const id of ids) {
    const name = id.slice(0, id.lastIndexOf('|'))
    const series = found.get(name) ?? { key: seriesOfId(id), moments: new Set() }
    found.set(name, series)
    series.moments.add(timeOf(id))
  }
  return found.values()
}

function seriesOfId(id: string): SeriesMoments['key'] {
  const [provider, asset, currency = ''] = id.split('|')
  return { provider: provider as ProviderId, asset: asset as AssetId, currency }
}

/** The row of an id, if it is there. */
export const rowOf = (reader: KeyReader, id: string): AsyncIterable<Quote> =>
  reader.rowsAt(seriesOfId(id), [timeOf(id)])

const kinds: readonly MarketKind[] = ['metric', 'gap', 'source-flag', 'consensus', 'serving']

export interface WantedRecord {
  readonly id: string
  readonly at: EpochMicros
}

/** The same with the records beside prices. `each` sees every one of the range. */
export async function readMarket(
  reader: AuditReader,
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
  const old = new Set<string>()
  for (const { id, at } of wanted) if (at < span.from || at >= span.to) old.add(id)
  for await (const record of reader.recordsOf(old)) await take(record)
  return later
}
