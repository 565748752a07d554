import type { EpochMicros } from '../brands.ts'

/**
 * Time. Implement it to give the host's clock or a test's. Choosing a time zone or formatting is not your job.
 * `sleep` rejects with an AbortError as soon as the signal fires and leaves no timer behind.
 */
export interface Clock {
  /** Wall clock; may jump. */
  now(): EpochMicros
  /** Milliseconds that never go back within a process; only differences mean something. */
  monotonicMs(): number
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}
