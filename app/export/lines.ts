import type { AssetId, EpochMicros } from '../../core/brands.ts'
import type { MarketReader, QuoteReader } from '../../core/ports/reader.ts'
import { type FlagKind, type Quote, quoteId } from '../../core/records.ts'
import {
  consensusColumns,
  type FlaggedQuote,
  flagColumns,
  gapColumns,
  metricColumns,
  quoteColumns,
  servingColumns,
} from './columns.ts'
import { type Column, csvHead, csvLine } from './csv.ts'

export const exportKinds = ['quotes', 'metrics', 'gaps', 'flags', 'consensus', 'serving'] as const
export type ExportKind = (typeof exportKinds)[number]

export interface Wanted {
  readonly kind: ExportKind
  /** [from, to) of the time that a record is about. */
  readonly range: { readonly from: EpochMicros; readonly to: EpochMicros; readonly asset?: AssetId }
  readonly asJson: boolean
}

type Reader = QuoteReader & MarketReader

/** The lines of an export, each with its end. `counted.rows` grows with each record. */
export function exportLines(
  reader: Reader,
  { kind, range, asJson }: Wanted,
  counted: { rows: number },
): AsyncIterable<string> {
  const write = { asJson, counted }
  switch (kind) {
    case 'quotes':
      return linesOf(withFlags(reader, reader.rows(range)), quoteColumns, write)
    case 'metrics':
      return linesOf(reader.allRecords({ ...range, kind: 'metric' }), metricColumns, write)
    case 'gaps':
      return linesOf(reader.allRecords({ ...range, kind: 'gap' }), gapColumns, write)
    case 'flags':
      return linesOf(reader.allRecords({ ...range, kind: 'source-flag' }), flagColumns, write)
    case 'consensus':
      return linesOf(reader.allRecords({ ...range, kind: 'consensus' }), consensusColumns, write)
    case 'serving':
      return linesOf(reader.allRecords({ ...range, kind: 'serving' }), servingColumns, write)
  }
}

async function* linesOf<R extends object>(
  records: AsyncIterable<R>,
  columns: readonly Column<R>[],
  { asJson, counted }: { readonly asJson: boolean; readonly counted: { rows: number } },
): AsyncGenerator<string> {
  if (!asJson) yield `${csvHead(columns)}\n`
  for await (const record of records) {
    counted.rows += 1
    yield `${asJson ? JSON.stringify(record) : csvLine(columns, record)}\n`
  }
}

/** Rows of one series whose flags are asked for together. */
const chunkRows = 1_000

/** Each price with the doubts about it. The rows come series by series, in time order within one. */
async function* withFlags(reader: MarketReader, rows: AsyncIterable<Quote>): AsyncGenerator<FlaggedQuote> {
  let chunk: Quote[] = []
  for await (const quote of rows) {
    const [first] = chunk
    if (first && (chunk.length === chunkRows || !isSameSeries(first, quote))) {
      yield* await flagged(reader, chunk)
      chunk = []
    }
    chunk.push(quote)
  }
  yield* await flagged(reader, chunk)
}

const isSameSeries = (a: Quote, b: Quote): boolean =>
  a.provider === b.provider && a.asset === b.asset && a.currency === b.currency

async function flagged(reader: MarketReader, quotes: readonly Quote[]): Promise<readonly FlaggedQuote[]> {
  const [first, last] = [quotes[0], quotes.at(-1)]
  if (!first || !last) return []
  const { provider, asset, currency, observedAt: from } = first
  const to = (last.observedAt + 1) as EpochMicros
  const byQuote = new Map<string, FlagKind[]>()
  for (const flag of await reader.flagsOf({ provider, asset, currency, from, to }))
    byQuote.set(quoteId(flag), [...(byQuote.get(quoteId(flag)) ?? []), flag.flag])
  return quotes.map(quote => ({ ...quote, flags: byQuote.get(quoteId(quote)) ?? [] }))
}
