import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'

const toldAfterMs = 8 * SECOND
const endsAfterMs = 25 * SECOND

/** Notices that the servers give no sign of life: kafkajs can wait for ever for one that hangs. */
export class Silence {
  readonly #clock: Clock
  readonly #tell: (seconds: number, isEnd: boolean) => void
  readonly #over: () => void
  #lastSignMs: number
  #isTold = false
  /** `tell` is called each second from 8 s on, and with `isEnd` from 25 s on; `over` at the first sign of life after it. */
  constructor(clock: Clock, tell: (seconds: number, isEnd: boolean) => void, over: () => void) {
    this.#clock = clock
    this.#tell = tell
    this.#over = over
    this.#lastSignMs = clock.monotonicMs()
  }

  /** The servers answered. Called for every answer, so it costs nothing. */
  sign(): void {
    this.#lastSignMs = this.#clock.monotonicMs()
    if (!this.#isTold) return
    this.#isTold = false
    this.#over()
  }

  /** Until the signal fires, and then by its throw. */
  async watch(signal: AbortSignal): Promise<never> {
    for (;;) {
      const beforeMs = this.#clock.monotonicMs()
      await this.#clock.sleep(SECOND, signal)
      const nowMs = this.#clock.monotonicMs()
      // This process was paused: the servers had no chance to answer.
      if (nowMs - beforeMs > 5 * SECOND) this.#lastSignMs = nowMs
      const silentMs = nowMs - this.#lastSignMs
      if (silentMs <= toldAfterMs) continue
      this.#isTold = true
      this.#tell(Math.round(silentMs / SECOND), silentMs > endsAfterMs)
    }
  }
}
