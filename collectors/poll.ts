import type { Outcome } from '../core/outcomes.ts'
import type { ReserveDecision } from '../core/ports/ledger.ts'
import type { EpochMicros } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import { announce } from '../core/steps.ts'
import { free, providerDate, unknownCharge } from './judging.ts'
import {
  type Attempt,
  costMaxOf,
  defaultDeadlineMs,
  type Ended,
  ended,
  outcomeOfDenial,
  spenderOf,
  type PageResult,
  type PageTask,
  type Permit,
  type PollPorts,
} from './poll-types.ts'
import { pauseUntilOf } from './pause-of-credits.ts'
import type { HttpAnswer, Verdict } from './provider.ts'
import { publishNow, publishOnly } from './publish-own.ts'
import { readAnswer } from './read-answer.ts'
import { callOf } from './request.ts'
import { rawAnswer, settle } from './settle.ts'

/** Collects one page: reserve, send once, judge, settle with the answer, publish. Never throws: the outcome says how it ended. */
export async function collectPage(ports: PollPorts, task: PageTask): Promise<PageResult> {
  const attempt = { ports, task, runId: ports.newId() }
  const startedAt = ports.clock.now()
  const { source, signal } = task
  const turn = { name: source.provider.id, minTimeMs: source.access.minTimeMs, signal }
  const end = await ports.pace.schedule(turn, () => tryOnce(attempt)).catch(unexpected)
  const result = { ...end, slot: task.slot, runId: attempt.runId }
  await noteRun(attempt, result, startedAt)
  await noteGaps(ports, task, { result, startedAt })
  return result
}

const unexpected = (error: unknown): Ended => {
  const { code, message } = toCryptosError(error)
  return ended(code === 'CRY_ABORTED' ? 'aborted' : 'failed', message)
}

async function tryOnce(attempt: Attempt): Promise<Ended> {
  const decision = await reserve(attempt)
  switch (decision.kind) {
    case 'granted':
      return withPermit(attempt, decision)
    case 'answered':
      return publishOnly(attempt, decision.answerId)
    case 'published':
      return ended('already-done', 'the slot was answered and published before')
    case 'in-flight':
      return ended('in-flight', `another run calls for ${attempt.task.slot}`, { retryAt: decision.retryAt })
    case 'exhausted':
      return ended('slot-exhausted', `the slot was tried ${decision.attempts} times without an answer`)
    case 'denied':
      return denied(decision)
    case 'no-ledger':
      return ended('ledger-unavailable', `no call was made: ${decision.reason}`)
  }
}

const denied = (decision: Extract<ReserveDecision, { kind: 'denied' }>): Ended => {
  const more = decision.retryAt === null ? {} : { retryAt: decision.retryAt }
  return ended(outcomeOfDenial(decision.why), decision.reason, more)
}

type Decision = ReserveDecision | { readonly kind: 'no-ledger'; readonly reason: string }

/** Any trouble with the ledger means: no call. */
async function reserve({ ports, task }: Attempt): Promise<Decision> {
  try {
    return await ports.ledger.reserve({
      scope: task.source.scope,
      reservationId: ports.newId(),
      costMax: costMaxOf(task),
      slot: task.slot,
      ...spenderOf(ports),
      now: ports.clock.now(),
    })
  } catch (error) {
    return { kind: 'no-ledger', reason: toCryptosError(error).message }
  }
}

async function withPermit(attempt: Attempt, permit: Permit): Promise<Ended> {
  const call = await send(attempt, permit)
  if ('failure' in call) return settleFailure(attempt, permit, call)
  const { answer } = call
  const { dataset, page } = attempt.task
  const verdict = dataset.judge(answer, page)
  if (verdict.kind === 'answered') return settleAnswer(attempt, permit, answer, verdict)
  const { outcome, reason, charge } = verdict
  const pauseUntil = await pauseUntilOf(attempt.ports, attempt.task.source, verdict, answer)
  const retryAt = verdict.retryAt ?? pauseUntil
  return settle(attempt, permit, {
    charge,
    providerDate: providerDate(answer),
    end: ended(outcome, reason, retryAt === undefined ? {} : { retryAt }),
    pauseUntil,
  })
}

interface Failure {
  readonly failure: unknown
  readonly wasSent: boolean
}

/** The one call that the permit allows. */
async function send(
  { ports, task }: Attempt,
  permit: Permit,
): Promise<{ readonly answer: HttpAnswer } | Failure> {
  let wasSent = false
  try {
    const call = callOf(task.source, task.dataset.request(task.page), ports.clock.now())
    const answer = await ports.http.send({
      ...call,
      startBy: permit.startBy,
      deadlineMs: ports.deadlineMs ?? defaultDeadlineMs,
      signal: task.signal,
      slot: task.slot,
      onSent: () => {
        wasSent = true
      },
    })
    announce('received', task.slot)
    return { answer }
  } catch (failure) {
    return { failure, wasSent }
  }
}

/** What never left costs nothing; of what left nobody knows, so the full cost stays. */
function settleFailure(attempt: Attempt, permit: Permit, { failure, wasSent }: Failure): Promise<Ended> {
  const error = toCryptosError(failure)
  const outcome = outcomeOfFailure(error.code)
  const charge = wasSent ? unknownCharge : free
  const end = ended(outcome, error.message, { code: error.code })
  return settle(attempt, permit, { charge, providerDate: null, end })
}

function outcomeOfFailure(code: string): Outcome {
  if (code === 'CRY_ABORTED') return 'aborted'
  if (code === 'CRY_HTTP_HOST' || code === 'CRY_HTTP_ADDRESS' || code === 'CRY_CONFIG_INVALID')
    return 'misconfigured'
  return code.startsWith('CRY_HTTP_') ? 'transport-error' : 'failed'
}

/** The answer is safe first; what it says is told after. */
async function settleAnswer(
  attempt: Attempt,
  permit: Permit,
  answer: HttpAnswer,
  verdict: Extract<Verdict, { kind: 'answered' }>,
): Promise<Ended> {
  const end = ended('collected', 'answered')
  const raw = rawAnswer(attempt, permit, answer)
  const { charge, pauseUntil } = verdict
  const how = { charge, providerDate: providerDate(answer), end, answer: raw, pauseUntil }
  const settled = await settle(attempt, permit, how)
  if (settled.answerId === undefined) return settled
  return publishNow(attempt, { ...settled, ...readAnswer(raw, attempt.task.dataset, settled.credits) })
}

/** A gap that can not be told is one line in the log. Never throws. */
export async function noteGaps(
  ports: PollPorts,
  task: PageTask,
  { result, startedAt }: { readonly result: PageResult; readonly startedAt: EpochMicros },
): Promise<void> {
  try {
    await ports.reportGaps?.(task, result, startedAt)
  } catch (error) {
    const { code, message } = toCryptosError(error)
    ports.log?.warn({ slot: task.slot, code }, `what is missing could not be published: ${message}`)
  }
}

/** A run that can not be noted is told in the log: what it did is in the ledger all the same. */
async function noteRun({ ports, task }: Attempt, result: PageResult, startedAt: EpochMicros): Promise<void> {
  const { runId, slot, outcome, reason, credits, records, retryAt } = result
  const { provider } = task.source
  const run = {
    kind: 'run',
    runId,
    provider: provider.id,
    dataset: task.dataset.id,
    slot,
    startedAt,
  } as const
  const how = { endedAt: ports.clock.now(), outcome, reason, credits, records }
  try {
    const more = { ...(retryAt === undefined ? {} : { retryAt }), ...spenderOf(ports) }
    await ports.ledger.addRun({ ...run, ...how, ...more })
  } catch (error) {
    ports.log?.warn({ slot, outcome }, `the run could not be noted: ${toCryptosError(error).message}`)
  }
}
