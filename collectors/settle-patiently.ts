import { isCryptosError } from '../core/errors.ts'
import type { Settlement } from '../core/ports/ledger.ts'
import { addMs, SECOND } from '../core/time.ts'
import { defaultConstants, lateMs } from '../quota/policy/constants.ts'
import type { Permit, PollPorts } from './poll-types.ts'

const firstPauseMs = 100
const maxPauseMs = 2 * SECOND
/** After a signal to stop: somebody waits for the end. */
const stopWithinMs = 3 * SECOND
const stoppingPauseMs = 250
/** A store that may do the same work in a moment: another process holds it, or somebody makes room on the disk. */
const passing: ReadonlySet<string> = new Set(['CRY_STORE_BUSY', 'CRY_DISK_FULL', 'CRY_LEDGER_UNAVAILABLE'])

/**
 * Settles until it is durable: settling twice changes nothing more, and an answer that was paid for is worth the wait. Gives up when
 * the permit would be reaped (deadline + D), or 3 s after the signal. @throws what the ledger threw last
 */
export async function settlePatiently(
  { ledger, clock, log }: PollPorts,
  settlement: Settlement,
  permit: Permit,
  signal: AbortSignal,
): Promise<void> {
  const until = addMs(permit.deadline, lateMs(defaultConstants))
  let stopAtMs = Number.POSITIVE_INFINITY
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    try {
      return await ledger.settle(settlement)
    } catch (error) {
      if (signal.aborted) stopAtMs = Math.min(stopAtMs, clock.monotonicMs() + stopWithinMs)
      if (clock.now() >= until || clock.monotonicMs() >= stopAtMs || !mayPass(error)) throw error
      if (pauseMs === firstPauseMs)
        log?.warn({ code: error.code }, `the call is made, but not settled yet: ${error.message}`)
    }
    if (signal.aborted) await clock.sleep(stoppingPauseMs)
    else await clock.sleep(pauseMs, signal).catch(wokenBySignal)
  }
}

const mayPass = (error: unknown): error is Error & { code: string } =>
  isCryptosError(error) && passing.has(error.code)

/** The signal shortens the wait; how the work ends is decided after the next try. */
function wokenBySignal(error: unknown): void {
  if ((error as Error).name !== 'AbortError') throw error
}
