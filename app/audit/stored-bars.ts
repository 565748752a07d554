import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { HistoryPoint, QuoteReader } from '../../core/ports/reader.ts'
import type { Currency } from '../../core/records.ts'
import { DAY } from '../../core/time.ts'

const dayMicros = DAY * 1_000

export interface Series {
  readonly provider: ProviderId
  readonly asset: AssetId
  readonly currency: Currency
}

interface Wanted {
  readonly from: number
  readonly to: number
  readonly ms: number
  /** Hours that have rows. */
  readonly starts: Iterable<number>
}

/** By days: over a longer time a reader may take a coarser roll-up. Days without a row are asked for as well, unless there are many. */
export async function storedBars(
  reader: QuoteReader,
  { provider, asset, currency }: Series,
  range: Wanted,
): Promise<ReadonlyMap<number, HistoryPoint>> {
  const found = new Map<number, HistoryPoint>()
  for (const day of daysOf(range.from, range.to, [...range.starts])) {
    const from = Math.max(day, range.from) as EpochMicros
    const to = Math.min(day + dayMicros, range.to) as EpochMicros
    if (from >= to) continue
    const { points } = await reader.history({ provider, asset, currency, from, to, stepMs: range.ms })
    for (const point of points) if (point.time >= from && point.time < to) found.set(point.time, point)
  }
  return found
}

const maxDays = 40

function daysOf(from: number, to: number, rows: readonly number[]): readonly number[] {
  const first = from - (from % dayMicros)
  const count = Math.ceil((to - first) / dayMicros)
  if (count <= maxDays) return Array.from({ length: Math.max(0, count) }, (_, i) => first + i * dayMicros)
  return [...new Set(rows.map(start => start - (start % dayMicros)))]
}
