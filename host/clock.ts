import { setTimeout as sleep } from 'node:timers/promises'
import { fromEpochMs } from '../core/time.ts'
import type { Clock } from '../core/ports/clock.ts'

/** The host's clock: wall time from the system, sleeps by the event loop. */
export const systemClock: Clock = {
  now: () => fromEpochMs(Date.now()),
  // The clock of performance.now(), without loading all of perf_hooks at the start of each command.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: async (durationMs, signal) => {
    await sleep(durationMs, undefined, signal ? { signal } : {})
  },
}
