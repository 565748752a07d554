import type { EpochMicros } from '../../core/brands.ts'

const buckets = 64
const minuteMicros = 60_000_000

/** Lowest and highest value of each of the last 64 minutes. */
export class Range {
  readonly #minute = new Float64Array(buckets).fill(-1)
  readonly #low = new Float64Array(buckets)
  readonly #high = new Float64Array(buckets)
  /** Of the last `since`. */
  low = Number.NaN
  high = Number.NaN

  add(at: EpochMicros, value: number): void {
    const minute = Math.floor(at / minuteMicros)
    const i = minute % buckets
    if ((this.#minute[i] ?? -1) > minute) return
    if (this.#minute[i] !== minute) {
      this.#minute[i] = minute
      this.#low[i] = value
      this.#high[i] = value
      return
    }
    this.#low[i] = Math.min(this.#low[i] ?? value, value)
    this.#high[i] = Math.max(this.#high[i] ?? value, value)
  }

  /** Sets `low` and `high` to those of the minutes from `from` to `to`, whole minutes, at most 64 back; NaN where nothing is known. */
  between(from: number, to: number): void {
    this.low = Number.POSITIVE_INFINITY
    this.high = Number.NEGATIVE_INFINITY
    const last = Math.floor(to / minuteMicros)
    const first = Math.max(Math.floor(from / minuteMicros), last - buckets + 1, 0)
    for (let minute = first; minute <= last; minute += 1) {
      const i = minute % buckets
      if (this.#minute[i] !== minute) continue
      this.low = Math.min(this.low, this.#low[i] ?? Number.NaN)
      this.high = Math.max(this.high, this.#high[i] ?? Number.NaN)
    }
  }

  /** Width of the last `between`; 0 where nothing is known. */
  get width(): number {
    return Math.max(0, this.high - this.low)
  }
}
