import { expect, it } from 'vitest'
import { AssetId, DecimalString, ProviderId } from '../../core/brands.ts'
import type { HistoryPoint, HistoryQuery } from '../../core/ports/reader.ts'
import { DAY, MINUTE } from '../../core/time.ts'
import { storedBars } from './stored-bars.ts'

const provider = ProviderId('kraken')
const series = { provider, asset: AssetId('bitcoin'), currency: 'USD' }
const minute = MINUTE * 1_000
const price = DecimalString('1')

/** A bar each minute of `starts`; a query for more than `most` bars is answered with hours, as a reader may. */
function readerOf(starts: readonly number[], most: number) {
  const asked: number[] = []
  const history = async ({ from, to, stepMs }: HistoryQuery) => {
    asked.push((to - from) / minute)
    if (asked.at(-1)! > most) return { stepMs: 60 * stepMs, points: [] }
    const time = starts.filter(start => start >= from && start < to)
    const points = time.map(
      t =>
        ({ provider, time: t, open: price, high: price, low: price, close: price, count: 1 }) as HistoryPoint,
    )
    return { stepMs, points }
  }
  return { asked, history }
}

it('asks for less where it is answered with a coarser width, and misses no bar', async () => {
  const starts = Array.from({ length: 4_000 }, (_, i) => i * minute)
  const reader = readerOf(starts, 900)
  const found = await storedBars(reader, series, { from: 0, to: 4_000 * minute, ms: MINUTE, starts: [] })
  expect([...found.keys()]).toEqual(starts)
  expect(reader.asked.filter(bars => bars <= 900).reduce((a, b) => a + b, 0)).toBe(4_000)
})

it('asks over years only where there are rows, once for many of them', async () => {
  const dayMicros = DAY * 1_000
  const starts = Array.from({ length: 4_000 }, (_, i) => i * dayMicros + 1_439 * minute)
  const reader = readerOf(starts, 20_000)
  const found = await storedBars(reader, series, { from: 0, to: 4_000 * dayMicros, ms: MINUTE, starts })
  expect([...found.keys()]).toEqual(starts)
  expect(reader.asked.length).toBeLessThan(1_300)
  const lonely = readerOf(starts, 20_000)
  const late = starts.slice(-1)
  const one = await storedBars(lonely, series, { from: 0, to: 4_000 * dayMicros, ms: MINUTE, starts: late })
  expect([one.has(late[0]!), lonely.asked.length]).toEqual([true, 1])
})
