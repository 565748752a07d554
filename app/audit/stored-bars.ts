import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { HistoryPoint, QuoteReader } from '../../core/ports/reader.ts'
import type { Currency } from '../../core/records.ts'

export interface Series {
  readonly provider: ProviderId
  readonly asset: AssetId
  readonly currency: Currency
}

interface Wanted {
  readonly from: number
  readonly to: number
  readonly ms: number
  /** Bars that the rows make. */
  readonly starts: Iterable<number>
}

/** A part that is asked for at once: 5,000 minutes are three and a half days, 5,000 hours seven months. */
const barsOfPart = 5_000
const maxParts = 40

/** By parts: over a longer time a reader may take a coarser roll-up. Parts without a row are asked for as well, unless there are many. */
export async function storedBars(
  reader: Pick<QuoteReader, 'history'>,
  { provider, asset, currency }: Series,
  range: Wanted,
): Promise<ReadonlyMap<number, HistoryPoint>> {
  const found = new Map<number, HistoryPoint>()
  const take = async (from: number, to: number): Promise<void> => {
    const span = { from: from as EpochMicros, to: to as EpochMicros }
    const { stepMs, points } = await reader.history({ provider, asset, currency, ...span, stepMs: range.ms })
    if (stepMs === range.ms) {
      for (const point of points) if (point.time >= from && point.time < to) found.set(point.time, point)
      return
    }
    const half = halfOf(from, to, range.ms)
    if (half === undefined) return
    await take(from, half)
    await take(half, to)
  }
  for (const [from, to] of partsOf(range)) await take(from, to)
  return found
}

/** undefined = one bar can not be parted: the reader has none of this width. */
function halfOf(from: number, to: number, ms: number): number | undefined {
  const bars = Math.floor((to - from) / (ms * 1_000))
  return bars < 2 ? undefined : from + Math.floor(bars / 2) * ms * 1_000
}

function* partsOf({ from, to, ms, starts }: Wanted): Iterable<readonly [number, number]> {
  const length = barsOfPart * ms * 1_000
  const count = Math.ceil((to - from) / length)
  const all = Array.from({ length: Math.max(0, Math.min(count, maxParts)) }, (_, i) => i)
  const withRows = new Set<number>()
  if (count > maxParts)
    for (const start of starts) if (start >= from) withRows.add(Math.floor((start - from) / length))
  for (const part of count > maxParts ? withRows : all) {
    const first = from + part * length
    if (first < to) yield [first, Math.min(first + length, to)]
  }
}
