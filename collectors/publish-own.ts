import { setTimeout as sleep } from 'node:timers/promises'
import { toCryptosError } from '../core/errors.ts'
import { exitCodeOf } from '../core/outcomes.ts'
import { addMs, SECOND } from '../core/time.ts'
import { type Attempt, type Ended, ended, type PollPorts } from './poll-types.ts'

const pauseMs = SECOND / 5
/** Publishing again costs no call: soon, so that a scheduler's retry comes before its next tick. */
export const publishAgainMs = 10 * SECOND
/** How long whoever must publish waits for another process that does. */
export const publishWithinMs = 10 * SECOND
const isBusy = 'another process publishes, and is not done yet'

/** Brings an earlier answer of the slot to the topics, without a call. Never throws. */
export async function publishOnly(attempt: Attempt, answerId: string): Promise<Ended> {
  const { ports } = attempt
  if (!ports.publish) return ended('in-flight', 'an earlier answer waits for its publisher', { answerId })
  const end = ended('published', 'an earlier answer of the slot was published, without a call', { answerId })
  const waiting = ended('published', 'an earlier answer of the slot was found', { answerId })
  try {
    const { held } = await ports.publish()
    if (ports.publishWithinMs !== undefined)
      return (await isThere(attempt)) ? end : unpublished(attempt, waiting)
    if (held) return end
    return ended('in-flight', 'another process publishes the answer of the slot', { answerId })
  } catch (error) {
    return unpublished(attempt, waiting, error)
  }
}

/**
 * The answer is durable: a broker that is away costs time, not data, and is not this run's failure, unless the run must publish.
 * Never throws.
 */
export async function publishNow(attempt: Attempt, end: Ended): Promise<Ended> {
  const { ports, task } = attempt
  const isAsked = ports.publishWithinMs !== undefined && exitCodeOf(end.outcome) === 0
  try {
    await ports.publish?.()
    return !isAsked || (await isThere(attempt)) ? end : unpublished(attempt, end)
  } catch (error) {
    const { code, message } = toCryptosError(error)
    ports.log?.warn({ slot: task.slot, code }, `the answer waits in the outbox: ${message}`)
    return isAsked ? unpublished(attempt, end, error) : end
  }
}

/**
 * Another process may be at it: then it is waited for, and helped. In real time, like the process that is waited for.
 * @throws what the ledger or the broker throws
 */
async function isThere({ ports, task }: Attempt): Promise<boolean> {
  return (await unpublishedOf(ports, [task.slot], task.signal)) === 0
}

async function unpublishedOf(
  { ledger, publish, publishWithinMs: withinMs = 0 }: PollPorts,
  slots: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    const waiting = waitingOf(slots, await ledger.answered(slots))
    if (waiting === 0 || waitedMs >= withinMs) return waiting
    await sleep(pauseMs, undefined, { signal })
    await publish?.()
  }
}

type States = Awaited<ReturnType<PollPorts['ledger']['answered']>>

const waitingOf = (slots: readonly string[], states: States): number =>
  slots.filter(slot => states.get(slot) !== 'published').length

/** How many answers of these slots wait in the outbox, when all was tried to publish them in time, and why. Never throws. */
export async function publishAll(
  ports: PollPorts,
  slots: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly waiting: number; readonly why: string }> {
  if (!ports.publish) return { waiting: 0, why: '' }
  try {
    await ports.publish()
    return { waiting: await unpublishedOf({ ...ports, publishWithinMs }, slots, signal), why: isBusy }
  } catch (error) {
    const states: States = await ports.ledger.answered(slots).catch(() => new Map())
    return { waiting: waitingOf(slots, states), why: toCryptosError(error).message }
  }
}

function unpublished({ ports }: Attempt, end: Ended, error?: unknown): Ended {
  const known = error === undefined ? null : toCryptosError(error)
  const why = known?.message ?? isBusy
  return {
    ...end,
    outcome: 'unpublished',
    reason: `${end.reason}; the answer waits in the outbox: ${why}`,
    retryAt: addMs(ports.clock.now(), publishAgainMs),
    ...(known === null ? {} : { code: known.code }),
  }
}
