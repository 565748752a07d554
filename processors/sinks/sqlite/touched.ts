import type { EpochMicros } from '../../../core/brands.ts'
import { MINUTE } from '../../../core/time.ts'

const minuteMicros = MINUTE * 1_000

/** What one batch changed: the minutes with other rows than before, and per series the newest row that says what a price is now. */
export class Touched {
  written = 0
  readonly #minutes = new Map<number, Set<number>>()
  readonly #newest = new Map<number, number>()

  stored(series: number, observedAt: EpochMicros): void {
    this.written += 1
    const minute = Math.floor(observedAt / minuteMicros)
    const minutes = this.#minutes.get(series)
    if (minutes) minutes.add(minute)
    else this.#minutes.set(series, new Set([minute]))
  }

  current(series: number, observedAt: EpochMicros): void {
    if (observedAt > (this.#newest.get(series) ?? -1)) this.#newest.set(series, observedAt)
  }

  get any(): boolean {
    return this.written > 0 || this.#newest.size > 0
  }

  /** `[series, minute, series, minute …]` as JSON. */
  bucketsText(): string {
    const flat: number[] = []
    for (const [series, minutes] of this.#minutes) for (const minute of minutes) flat.push(series, minute)
    return JSON.stringify(flat)
  }

  /** `[series, observedAt, series, observedAt …]` as JSON. */
  newestText(): string {
    return JSON.stringify([...this.#newest].flat())
  }
}
