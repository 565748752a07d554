import type { EpochMicros } from '../../../core/brands.ts'
import type { Clock } from '../../../core/ports/clock.ts'

interface Marks {
  readonly wallAt: EpochMicros
  readonly monotonicMs: number
}

/**
 * What this process knows about its clock for one scope: where wall and monotonic time stood when it last looked, and whether
 * a provider's `Date` has agreed since. Kept in memory only: another process's monotonic time means nothing here.
 */
export class ClockWatch {
  readonly #clock: Clock
  readonly #marks = new Map<string, Marks>()
  readonly #agreeing = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds by which the wall clock moved against the monotonic one since the scope was last looked at. */
  look(scope: string, jumpMs: number): number {
    const wallAt = this.#clock.now()
    const monotonicMs = this.#clock.monotonicMs()
    const last = this.#marks.get(scope)
    this.#marks.set(scope, { wallAt, monotonicMs })
    const moved = last ? (wallAt - last.wallAt) / 1_000 - (monotonicMs - last.monotonicMs) : 0
    if (Math.abs(moved) > jumpMs) this.#agreeing.delete(scope)
    return moved
  }

  agrees(scope: string): boolean {
    return this.#agreeing.has(scope)
  }

  /** A provider said what time it is. */
  compare(scope: string, providerDate: EpochMicros, now: EpochMicros, withinMs: number): void {
    if (Math.abs(providerDate - now) <= withinMs * 1_000) this.#agreeing.add(scope)
    else this.#agreeing.delete(scope)
  }
}
