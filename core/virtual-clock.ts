import type { EpochMicros } from './brands.ts'
import { EpochMicros as checked } from './brands.ts'
import type { Clock } from './ports/clock.ts'

interface Sleeper {
  readonly wakeAtMs: number
  readonly wake: () => void
}

/** A clock that a test or a simulation moves. `sleep` ends when `advance` has passed its time. */
export class VirtualClock implements Clock {
  #wall: EpochMicros
  #monotonicMs = 0
  #sleepers: Sleeper[] = []
  constructor(start: EpochMicros) {
    this.#wall = start
  }
  now(): EpochMicros {
    return this.#wall
  }
  monotonicMs(): number {
    return this.#monotonicMs
  }
  /** Moves wall and monotonic time together. */
  advance(durationMs: number): void {
    this.#wall = checked(this.#wall + Math.round(durationMs * 1_000))
    this.#monotonicMs += durationMs
    const due = this.#sleepers.filter(s => s.wakeAtMs <= this.#monotonicMs)
    this.#sleepers = this.#sleepers.filter(s => s.wakeAtMs > this.#monotonicMs)
    for (const sleeper of due) sleeper.wake()
  }
  /** Moves only the wall clock: an operator or NTP set it. */
  jump(wallMs: number): void {
    this.#wall = checked(this.#wall + Math.round(wallMs * 1_000))
  }
  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const sleeper = { wakeAtMs: this.#monotonicMs + durationMs, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter(s => s !== sleeper)
        reject(signal.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError'))
      })
    })
  }
}
