import type { EpochMicros } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Charge, RawAnswer } from '../core/ports/ledger.ts'
import { free } from './judging.ts'
import { settlePatiently } from './settle-patiently.ts'
import { type Attempt, costMaxOf, type Ended, ended, isBilled, type Permit } from './poll-types.ts'
import type { HttpAnswer } from './provider.ts'
import { contextText } from './saved-context.ts'

export interface Settling {
  readonly charge: Charge
  readonly providerDate: EpochMicros | null
  readonly end: Ended
  /** Nobody may call the scope before. */
  readonly pauseUntil?: EpochMicros | undefined
  /** With it the slot is answered, and the raw body is stored. */
  readonly answer?: RawAnswer
}

const nearLimit = "answered; the provider's own counter is close to its limit"

/** Charge, slot and raw body in one transaction of the ledger. */
export async function settle(attempt: Attempt, permit: Permit, settling: Settling): Promise<Ended> {
  const { ports, task } = attempt
  const { end, providerDate, answer, pauseUntil } = settling
  const charge = isBilled(task.source) ? settling.charge : free
  const credits = charge.kind === 'known' ? charge.credits : costMaxOf(task)
  try {
    const settlement = {
      scope: task.source.scope,
      reservationId: permit.reservationId,
      charge,
      providerDate,
      now: ports.clock.now(),
      why: answer && pauseUntil !== undefined ? nearLimit : end.reason,
      ...(pauseUntil === undefined ? {} : { pauseUntil }),
      ...(answer ? { answer } : {}),
    }
    await settlePatiently(ports, settlement, permit, task.signal)
    return { ...end, credits, ...(answer ? { answerId: answer.answerId } : {}) }
  } catch (error) {
    const { message } = toCryptosError(error)
    return ended('ledger-unavailable', `the call was made, but could not be settled: ${message}`, { credits })
  }
}

/** The answer as it is kept. */
export const rawAnswer = ({ task, runId }: Attempt, permit: Permit, answer: HttpAnswer): RawAnswer => ({
  answerId: `${task.slot}#${permit.attempt}`,
  provider: task.source.provider.id,
  dataset: task.dataset.id,
  slot: task.slot,
  runId,
  receivedAt: answer.receivedAt,
  httpStatus: answer.status,
  body: answer.body,
  context: contextText({ page: task.page, origin: task.source.origin }),
})
