import type { AssetId, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { Quote } from '../../../core/records.ts'
import { bySeries } from '../rows-to-history.ts'
import type { Series } from './answers.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, tagsAre, where } from './influxql.ts'
import { quoteFrom } from '../quote-text.ts'
import { quotePoints } from './quote-line.ts'
import type { QuoteSeries } from '../quote-text.ts'

/** Rows that are held at once, and asked for at once. */
const pageRows = 20_000
const seriesAtOnce = 100

export interface RowRange {
  readonly from: EpochMicros
  readonly to: EpochMicros
  readonly provider?: ProviderId
  readonly asset?: AssetId
  readonly currency?: string
}

interface Counted {
  readonly series: QuoteSeries
  readonly rows: number
}

/**
 * Rows in the order provider, asset, currency, observedAt. The server's own order of series is another one, so it is asked how many
 * rows each has, and then for as many series at a time as fit into memory.
 */
export async function* rowsOfRange(connection: InfluxConnection, range: RowRange): AsyncIterable<Quote> {
  const counted = await countRows(connection, range)
  for (const page of pagesOf(counted)) {
    const [first] = page
    if (page.length === 1 && first && first.rows > pageRows)
      yield* longSeries(connection, first.series, range)
    else yield* await readPage(connection, page, range)
  }
}

const times = ({ from: start, to }: RowRange): string[] => [`time>=${start}u`, `time<${to}u`]
const groups = 'GROUP BY "provider", "asset", "currency"'
export const tagsOf = ({ tags }: Series): QuoteSeries => tags as unknown as QuoteSeries
const isSeries = ({ provider, asset, currency }: QuoteSeries): string =>
  `(${tagsAre({ provider, asset, currency }).join(' AND ')})`

async function countRows(connection: InfluxConnection, range: RowRange): Promise<readonly Counted[]> {
  const { provider, asset, currency } = range
  const conditions = where(...tagsAre({ provider, asset, currency }), ...times(range))
  const [found = []] = await ask(connection, [
    `SELECT count("exact") FROM ${from(connection, quotePoints.name)}${conditions} ${groups}`,
  ])
  return found
    .map(series => ({ series: tagsOf(series), rows: Number(cell(series, series.values[0] ?? [], 'count')) }))
    .sort((a, b) => bySeries(a.series, b.series))
}

function* pagesOf(counted: readonly Counted[]): Iterable<readonly Counted[]> {
  let page: Counted[] = []
  let rows = 0
  for (const one of counted) {
    if (page.length > 0 && (rows + one.rows > pageRows || page.length >= seriesAtOnce)) {
      yield page
      page = []
      rows = 0
    }
    page.push(one)
    rows += one.rows
  }
  if (page.length > 0) yield page
}

async function readPage(
  connection: InfluxConnection,
  page: readonly Counted[],
  range: RowRange,
): Promise<readonly Quote[]> {
  const any = page.map(({ series }) => isSeries(series)).join(' OR ')
  const [found = []] = await ask(connection, [
    `SELECT "exact" FROM ${from(connection, quotePoints.name)}${where(`(${any})`, ...times(range))} ${groups}`,
  ])
  return [...found].sort((a, b) => bySeries(tagsOf(a), tagsOf(b))).flatMap(quotesIn)
}

const quotesIn = (series: Series): Quote[] =>
  series.values.map(row =>
    quoteFrom(tagsOf(series), Number(cell(series, row, 'time')), String(cell(series, row, 'exact'))),
  )

async function* longSeries(
  connection: InfluxConnection,
  series: QuoteSeries,
  range: RowRange,
): AsyncIterable<Quote> {
  let start: number = range.from
  for (;;) {
    const conditions = where(isSeries(series), `time>=${start}u`, `time<${range.to}u`)
    const [found = []] = await ask(connection, [
      `SELECT "exact" FROM ${from(connection, quotePoints.name)}${conditions} ${groups} ORDER BY time LIMIT ${pageRows}`,
    ])
    const rows = found.flatMap(quotesIn)
    yield* rows
    if (rows.length < pageRows) return
    start = Number(rows.at(-1)?.observedAt) + 1
  }
}
