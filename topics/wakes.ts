import type { Clock } from '../core/ports/clock.ts'

/** Lets loops sleep until something happens. The version closes the gap between looking and going to sleep. */
export class Wakes {
  #version = 0
  readonly #sleepers = new Set<() => void>()

  /** Read it before looking for work, give it to `wait` after finding none. */
  get version(): number {
    return this.#version
  }

  wake(): void {
    this.#version += 1
    for (const sleeper of this.#sleepers) sleeper()
  }

  /** Ends at the next wake (or one since `seen`), after `durationMs`, or when the signal fires: never by a throw of these. */
  async wait(seen: number, durationMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#version !== seen || signal.aborted) return
    const awake = new AbortController()
    const wake = (): void => awake.abort()
    this.#sleepers.add(wake)
    signal.addEventListener('abort', wake)
    try {
      await clock.sleep(durationMs, awake.signal)
    } catch (error) {
      if (!awake.signal.aborted) throw error
    } finally {
      this.#sleepers.delete(wake)
      signal.removeEventListener('abort', wake)
    }
  }
}
