import type { EpochMicros } from '../core/brands.ts'
import { isCryptosError } from '../core/errors.ts'
import { addMs, HOUR, MINUTE } from '../core/time.ts'
import { nextUtcDay, nextUtcMonth, pauseOf } from './judging.ts'
import type { PollPorts, Source } from './poll-types.ts'
import type { HttpAnswer, Verdict } from './provider.ts'

/**
 * Where the provider tells its usage, credits that are used up stop the scope for so long at most: a pause stops the usage endpoint
 * too, which alone can tell an earlier reset or a larger plan. Its figure then denies what can not be afforded, by the ledger's limits.
 */
export const creditPauseMostMs = HOUR
/** The ledger's reset is over and the provider refuses still: its clock, or its reset, is later than known. */
const lateResetPauseMs = 10 * MINUTE

/**
 * Until when nobody may call the scope, of a verdict on an answer: the provider's word or the judge's (`pauseOf`); for credits that
 * are used up without a time, the reset of that window as the ledger knows it, else the next UTC day or month. undefined = no pause.
 */
export async function pauseUntilOf(
  ports: Pick<PollPorts, 'ledger' | 'clock'>,
  source: Source,
  verdict: Verdict,
  answer: HttpAnswer,
): Promise<EpochMicros | undefined> {
  const judged = pauseOf(verdict, answer)
  if (judged !== undefined || verdict.kind !== 'refused' || verdict.exhausted === undefined) return judged
  const at = answer.receivedAt
  const reset = await resetOf(ports, source, verdict.exhausted)
  const until = reset === undefined ? calendarReset[verdict.exhausted](at) : later(reset, at)
  const tellsUsage = source.provider.usage !== undefined && source.key !== undefined
  const most = addMs(at, creditPauseMostMs)
  return tellsUsage && most < until ? most : until
}

const calendarReset = { day: nextUtcDay, month: nextUtcMonth } as const

const later = (reset: EpochMicros, at: EpochMicros): EpochMicros =>
  reset > at ? reset : addMs(at, lateResetPauseMs)

/** undefined where the ledger has no such scope or can not be read: what it throws, the settlement that follows throws too. */
async function resetOf(
  { ledger, clock }: Pick<PollPorts, 'ledger' | 'clock'>,
  { scope }: Source,
  window: 'day' | 'month',
): Promise<EpochMicros | undefined> {
  try {
    const status = (await ledger.status(clock.now())).find(s => s.scope === scope)
    return status?.windows.find(w => w.window === window)?.resetsAt
  } catch (error) {
    if (isCryptosError(error)) return undefined
    throw error
  }
}
