/** One measured number of `npm run bench`: `bar` null = told, not judged. */
export interface BenchLine {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bar: number | null
  readonly ok: boolean
  readonly note?: string
}

/** The value in the middle; of an even count the mean of the two there. 0 for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
}

/** Nearest rank; 0 for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
