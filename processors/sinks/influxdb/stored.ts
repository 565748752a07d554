import type { EpochMicros } from '../../../core/brands.ts'
import type { Series } from './answers.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, tagsAre, text as quoted, where } from './influxql.ts'
import { pagesOf } from '../sqlite/market-reader.ts'

/** What is stored of points of one measurement whose fields are `text` (the record) and `live`. */

export type Tags = Readonly<Record<string, string>>

export interface StoredPoint {
  readonly at: number
  /** undefined = there is only the mark of a live value. */
  readonly text: string | undefined
  readonly live: boolean
}

/** Of so many series each is asked for by name; of more all that there are. */
const namedSeries = 50
/** Moments that lie nearer than this are read as one range. */
const rangeGapMicros = 10 * 60_000_000
const maxRangeMicros = 24 * 3_600_000_000

export interface Measurement {
  readonly name: string
  /** All of them are in the identity. */
  readonly tags: readonly string[]
  readonly text: string
}

/** Newest time of each series that is stored, by its tags as `keyOf` makes them. */
export async function newestTimes(
  connection: InfluxConnection,
  m: Measurement,
  wanted: readonly Tags[],
): Promise<ReadonlyMap<string, number>> {
  const only =
    wanted.length > namedSeries
      ? ''
      : where(`(${wanted.map(t => `(${tagsAre(t).join(' AND ')})`).join(' OR ')})`)
  const [found = []] = await ask(connection, [
    `SELECT last("${m.text}") FROM ${from(connection, m.name)}${only} GROUP BY ${m.tags.map(t => `"${t}"`).join(', ')}`,
  ])
  return new Map(found.map(series => [keyOf(m, series.tags), timeOf(series)]))
}

const timeOf = (series: Series): number => Number(series.values[0]?.[0] ?? 0)

/** Name of a series. No tag has a newline in it. */
export const keyOf = (m: Measurement, tags: Tags): string =>
  `${m.name}\n${m.tags.map(tag => tags[tag] ?? '').join('\n')}`

/** Points of series at some moments, in statements of ranges that hold them; others in the ranges are left out. */
export async function* pointsAt(
  connection: InfluxConnection,
  m: Measurement,
  series: Iterable<{ readonly tags: Tags; readonly moments: Iterable<EpochMicros> }>,
): AsyncIterable<{ readonly key: string; readonly point: StoredPoint }> {
  const asked = [...series].flatMap(({ tags, moments }) => {
    const wanted = new Set<number>(moments)
    return rangesOf(wanted).map(range => ({ tags, wanted, range }))
  })
  for (const page of pagesOf(asked, 200)) {
    const found = await ask(
      connection,
      page.map(({ tags, range }) => selectRange(connection, m, tags, range)),
    )
    for (const [i, { tags, wanted }] of page.entries())
      for (const point of (found[i] ?? []).flatMap(s => pointsOf(s, m)))
        if (wanted.has(point.at)) yield { key: keyOf(m, tags), point }
  }
}

function selectRange(
  connection: InfluxConnection,
  m: Measurement,
  tags: Tags,
  [first, last]: readonly [number, number],
): string {
  const ofSeries = m.tags.map(tag => `"${tag}"=${quoted(tags[tag] ?? '')}`)
  const all = where(...ofSeries, `time>=${first}u`, `time<=${last}u`)
  return `SELECT "${m.text}", "live" FROM ${from(connection, m.name)}${all}`
}

/** Ranges that hold all moments and little else. */
export function rangesOf(moments: Iterable<number>): readonly (readonly [number, number])[] {
  const sorted = [...moments].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const at of sorted) {
    const last = ranges.at(-1)
    if (last && at - last[1] <= rangeGapMicros && at - last[0] <= maxRangeMicros) last[1] = at
    else ranges.push([at, at])
  }
  return ranges
}

export const pointsOf = (series: Series, m: Measurement): StoredPoint[] =>
  series.values.map(row => {
    const text = cell(series, row, m.text)
    return {
      at: Number(cell(series, row, 'time')),
      text: typeof text === 'string' ? text : undefined,
      live: cell(series, row, 'live') === true,
    }
  })
