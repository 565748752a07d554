import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'

const toldAfterMs = 8 * SECOND
const endsAfterMs = 25 * SECOND
/** Above a group's patience with a member (10 s): who was not heard for so long is none any more. */
const lostAfterMs = 12 * SECOND

/** What is wrong: nothing answers (for long, and then the consumer is given up), or the group has forgotten who still reads. */
export type Silent = 'told' | 'end' | 'lost'

/**
 * Notices that the servers give no sign of life, for kafkajs can wait for ever for one that hangs; and that a consumer fetches
 * without being a member: after a join that failed at the wrong moment kafkajs goes on so, and every commit is refused.
 */
export class Silence {
  readonly #clock: Clock
  readonly #tell: (seconds: number, what: Silent) => void
  readonly #over: () => void
  #lastSignMs: number
  /** Time in which fetches were answered and no member was heard. */
  #unheardMs = 0
  #isTold = false
  #isEnded = false
  /**
   * `tell` is called each second from 8 s on, and as the end from 25 s on; as 'lost' after some 12 s of answered fetches without a
   * heartbeat; `over` at the first sign of life after it that is no end.
   */
  constructor(clock: Clock, tell: (seconds: number, what: Silent) => void, over: () => void) {
    this.#clock = clock
    this.#tell = tell
    this.#over = over
    this.#lastSignMs = clock.monotonicMs()
  }

  /** The servers answered. Called for every answer, so it costs nothing. */
  sign(): void {
    this.#lastSignMs = this.#clock.monotonicMs()
    if (!this.#isTold || this.#isEnded) return
    this.#isTold = false
    this.#over()
  }

  /** The group answered, to a member. */
  beat(): void {
    this.sign()
    this.#unheardMs = 0
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
      if (silentMs < 2 * SECOND) this.#unheardMs += SECOND
      if (silentMs > toldAfterMs) this.#say(silentMs, silentMs > endsAfterMs ? 'end' : 'told')
      else if (this.#unheardMs >= lostAfterMs) this.#say(this.#unheardMs, 'lost')
    }
  }

  #say(durationMs: number, what: Silent): void {
    this.#isTold = true
    // What still comes while it is given up mends nothing.
    this.#isEnded = what !== 'told'
    this.#tell(Math.round(durationMs / SECOND), what)
  }
}
