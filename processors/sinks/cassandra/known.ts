import type { Clock } from '../../../core/ports/clock.ts'
import { HOUR } from '../../../core/time.ts'

/** After so long everything is written once more, whatever happened to the tables meanwhile. */
export const forgottenAfterMs = HOUR

/** What this process wrote already to a table of names or newest moments, so that it is not written for each row again. */
export class Known<V> {
  readonly #clock: Clock
  readonly #values = new Map<string, V>()
  #since: number
  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonicMs()
  }

  get(key: string): V | undefined {
    if (this.#clock.monotonicMs() - this.#since > forgottenAfterMs) {
      this.#values.clear()
      this.#since = this.#clock.monotonicMs()
    }
    return this.#values.get(key)
  }

  set(key: string, value: V): void {
    this.#values.set(key, value)
  }
}
