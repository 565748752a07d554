import type {
  KeyReader,
  MarketFilter,
  MarketKind,
  MarketQuery,
  MarketRange,
  MarketReader,
  MarketRecordOf,
} from '../../../core/ports/reader.ts'
import { marketRecordAt, marketRecordId } from '../../../core/records.ts'
import type { MarketRecord, SourceFlag } from '../../../core/records.ts'
import type { Series } from './answers.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, name, tagsAre, where } from './influxql.ts'
import { marketPoints, recordOf, seriesOf } from './market-line.ts'
import { keysOf } from './market-keys.ts'
import { pointsAt } from './stored.ts'

const pageRows = 5_000

/** Reads the records beside quotes. */
export class InfluxMarketReader implements MarketReader, Pick<KeyReader, 'recordsOf'> {
  readonly #market: InfluxConnection
  constructor(connection: InfluxConnection) {
    this.#market = connection
  }

  async records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]> {
    const { kind, limit } = query
    const conditions = conditionsOf(kind, query)
    if (conditions === undefined || limit <= 0) return []
    const descending = query.first !== 'oldest'
    const page = await this.#select(
      kind,
      [...conditions, ...timesOf(query)],
      `ORDER BY time ${descending ? 'DESC' : 'ASC'} LIMIT ${limit}`,
    )
    const end = page.at(-1)
    // Which of those of one moment are within the limit is decided by their ids.
    const ties =
      end && page.length === limit
        ? await this.#select(kind, [...conditions, `time=${marketRecordAt(end)}u`])
        : []
    const all =
      ties.length === 0
        ? page
        : [...page.filter(r => end && marketRecordAt(r) !== marketRecordAt(end)), ...ties]
    const sorted = [...all].sort(byTime)
    if (descending) sorted.reverse()
    return sorted.slice(0, limit) as MarketRecordOf<K>[]
  }

  async *allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>> {
    const conditions = conditionsOf(range.kind, range)
    if (conditions === undefined) return
    let start: number = range.from
    for (;;) {
      const times = [`time>=${start}u`, `time<${range.to}u`]
      const page = await this.#select(
        range.kind,
        [...conditions, ...times],
        `ORDER BY time LIMIT ${pageRows}`,
      )
      const end = page.at(-1)
      if (!end || page.length < pageRows) {
        yield* page.sort(byTime) as MarketRecordOf<K>[]
        return
      }
      // The last moment of a page may go on behind it.
      const last = marketRecordAt(end)
      const whole = await this.#select(range.kind, [...conditions, `time=${last}u`])
      yield* [...page.filter(r => marketRecordAt(r) < last), ...whole].sort(byTime) as MarketRecordOf<K>[]
      start = last + 1
    }
  }

  async latestRecords<K extends MarketKind>(
    kind: K,
    filter: MarketFilter = {},
  ): Promise<readonly MarketRecordOf<K>[]> {
    // Who serves is no part of the series: it is looked at in the newest record.
    const { provider, ...rest } = filter
    const conditions = conditionsOf(kind, kind === 'serving' ? rest : filter)
    if (conditions === undefined) return []
    const m = marketPoints[kind]
    const [found = []] = await ask(this.#market, [
      `SELECT last("live"), "${m.text}" FROM ${from(this.#market, m.name)}${where(...conditions)} GROUP BY ${m.tags.map(name).join(', ')}`,
    ])
    const all = found
      .flatMap(recordsIn)
      .filter(r => r.kind !== 'serving' || provider === undefined || r.provider === provider)
    return all.sort((a, b) => (seriesOf(a) < seriesOf(b) ? -1 : 1)) as MarketRecordOf<K>[]
  }

  async flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]> {
    return await Array.fromAsync(this.allRecords({ ...range, kind: 'source-flag' }))
  }

  async *recordsOf(ids: Iterable<string>): AsyncIterable<MarketRecord> {
    for (const { measurement, series } of keysOf(ids))
      for await (const { point } of pointsAt(this.#market, measurement, series))
        if (point.text !== undefined) yield recordOf(point.text)
  }

  async #select(
    kind: MarketKind,
    conditions: readonly string[],
    order = 'ORDER BY time',
  ): Promise<MarketRecord[]> {
    const m = marketPoints[kind]
    const [found = []] = await ask(this.#market, [
      `SELECT "${m.text}" FROM ${from(this.#market, m.name)}${where(...conditions)} ${order}`,
    ])
    return found.flatMap(recordsIn)
  }
}

const recordsIn = (series: Series): MarketRecord[] =>
  series.values.flatMap(row => {
    const body = cell(series, row, 'body')
    return typeof body === 'string' ? [recordOf(body)] : []
  })

const timesOf = ({ from: start, to }: { readonly from: number; readonly to: number }): string[] => [
  `time>=${start}u`,
  `time<${to}u`,
]

/** undefined = nothing of this kind can match. */
function conditionsOf(kind: MarketKind, { provider, asset, currency }: MarketFilter): string[] | undefined {
  const given = Object.entries({ provider, asset, currency }).filter(([, value]) => value !== undefined)
  const tags = marketPoints[kind].tags
  if (kind === 'serving') {
    const served = provider === undefined ? [] : tagsAre({ servedBy: provider })
    return [...served, ...tagsAre({ asset, currency })]
  }
  return given.every(([tag]) => tags.includes(tag)) ? tagsAre(Object.fromEntries(given)) : undefined
}

const byTime = (a: MarketRecord, b: MarketRecord): number =>
  marketRecordAt(a) - marketRecordAt(b) || (marketRecordId(a) < marketRecordId(b) ? -1 : 1)
