import { classify, isCryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** 0 to below 1: spreads retries, so that many consumers do not come back at once. */
  readonly rng: () => number
  readonly maxAttempts: number
  readonly onRetry: (retry: {
    readonly attempt: number
    readonly pauseMs: number
    readonly error: unknown
  }) => void
}

const firstPauseMs = 200
const longestPauseMs = 30_000
/** What a server asks for is granted up to here: then it is asked again, in case it meant something else. */
const longestAskedMs = 300_000

/** Half jitter: anything between half of the doubled pause and all of it. */
export const pauseMsOf = (attempt: number, rng: () => number): number =>
  Math.round(Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)) * (0.5 + rng() / 2))

/** How long the error itself asks to wait: a server's Retry-After. */
function askedMsOf(error: unknown, nowMicros: number): number {
  const at = isCryptosError(error) ? error.retryAtMs : undefined
  return at === undefined ? 0 : Math.min(longestAskedMs, Math.ceil(at - nowMicros / 1_000))
}

/** Tries again what `classify` calls worth it, up to `maxAttempts` tries; any other error, and the last one, is thrown. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const reaction = classify(error)
      const again = (reaction === 'retry' || reaction === 'wait') && attempt < options.maxAttempts
      if (!again || options.signal.aborted) throw error
      const pauseMs = Math.max(pauseMsOf(attempt, options.rng), askedMsOf(error, options.clock.now()))
      options.onRetry({ attempt, pauseMs, error })
      await options.clock.sleep(pauseMs, options.signal)
    }
  }
}
