import type { EpochMicros } from '../../core/brands.ts'

/**
 * Amounts by time, in buckets of one width, oldest first: `[index, amount]` with index = floor(time / width). Bounded by the
 * window that `keep` cuts to. Conservative: a bucket counts while any part of it is younger than the cut.
 */
export type Buckets = readonly (readonly [index: number, amount: number])[]

const indexOf = (at: EpochMicros | number, widthMs: number): number => Math.floor(at / (widthMs * 1_000))

/** Adds an amount. Time never goes back: an `at` before the newest bucket is put into the newest. */
export function addTo(buckets: Buckets, widthMs: number, at: EpochMicros, amount: number): Buckets {
  if (amount === 0) return buckets
  const newest = buckets.at(-1)
  const index = Math.max(indexOf(at, widthMs), newest?.[0] ?? 0)
  if (newest?.[0] === index) return [...buckets.slice(0, -1), [index, newest[1] + amount]]
  return [...buckets, [index, amount]]
}

/** Drops the buckets that end at or before `cut`. */
export function keepAfter(buckets: Buckets, widthMs: number, cut: number): Buckets {
  const first = buckets.findIndex(b => endOf(b[0], widthMs) > cut)
  if (first === 0) return buckets
  return first < 0 ? [] : buckets.slice(first)
}

export const totalOf = (buckets: Buckets): number => buckets.reduce((sum, b) => sum + b[1], 0)

/** All amounts as if they had happened at `at`. */
export const restamped = (buckets: Buckets, widthMs: number, at: EpochMicros): Buckets => {
  const total = totalOf(buckets)
  return total === 0 ? [] : [[indexOf(at, widthMs), total]]
}

/** End of a bucket in microseconds, exclusive. */
export const endOf = (index: number, widthMs: number): number => (index + 1) * widthMs * 1_000
