import { fromEpochMs } from '../core/time.ts'
import type { Clock } from '../core/ports/clock.ts'

/** The host's clock: wall time from the system, sleeps by the event loop. */
export const systemClock: Clock = {
  now: () => fromEpochMs(Date.now()),
  // The clock of performance.now(), without loading all of perf_hooks at the start of each command.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep,
}

/**
 * Not that of `node:timers/promises`: it hears the signal through a weak listener, which keeps all that waits for the sleep (a batch of
 * records) until the next full collection. That promoted every batch to the old generation.
 */
function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    const timer = setTimeout(wake, durationMs)
    const stop = (): void => {
      clearTimeout(timer)
      reject(new DOMException('the sleep was ended by its signal', 'AbortError'))
    }
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
