import { setTimeout as sleep } from 'node:timers/promises'
import { toCryptosError } from '../core/errors.ts'
import { exitCodeOf } from '../core/outcomes.ts'
import { addMs, SECOND } from '../core/time.ts'
import { type Attempt, type Ended, ended, type PollPorts } from './poll-types.ts'

const pauseMs = SECOND / 5
/** Publishing again costs no call: soon, so that a scheduler's retry comes before its next tick. */
const retryAfterMs = 10 * SECOND

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
  { ledger, publish, publishWithinMs = 0 }: PollPorts,
  slots: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    const states = await ledger.answered(slots)
    const waiting = slots.filter(slot => states.get(slot) !== 'published').length
    if (waiting === 0 || waitedMs >= publishWithinMs) return waiting
    await sleep(pauseMs, undefined, { signal })
    await publish?.()
  }
}

/** How many answers of these slots wait in the outbox, when all was tried to publish them within that time, and why. Never throws. */
export async function publishAll(
  ports: PollPorts,
  slots: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly waiting: number; readonly why?: string }> {
  if (!ports.publish) return { waiting: 0 }
  try {
    await ports.publish()
    return { waiting: await unpublishedOf(ports, slots, signal) }
  } catch (error) {
    const states = await ports.ledger.answered(slots).catch(() => new Map())
    const waiting = slots.filter(slot => states.get(slot) !== 'published').length
    return { waiting, why: toCryptosError(error).message }
  }
}

function unpublished({ ports }: Attempt, end: Ended, error?: unknown): Ended {
  const known = error === undefined ? null : toCryptosError(error)
  const why = known?.message ?? 'another process publishes, and is not done yet'
  return {
    ...end,
    outcome: 'unpublished',
    reason: `${end.reason}; the answer waits in the outbox: ${why}`,
    retryAt: addMs(ports.clock.now(), retryAfterMs),
    ...(known === null ? {} : { code: known.code }),
  }
}
