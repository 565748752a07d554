import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { ReserveDecision } from '../core/ports/ledger.ts'
import { announce } from '../core/steps.ts'
import { free, pauseOf, providerDate, unknownCharge } from './judging.ts'
import { defaultDeadlineMs, isBilled, outcomeOfDenial, type PollPorts, type Source } from './poll-types.ts'
import type { HttpAnswer, HttpRequest, Verdict } from './provider.ts'
import { callOf } from './request.ts'

/** A call that belongs to no slot: usage, a list of assets. Its answer is read at once and not kept. */
export interface AsideCall {
  readonly request: HttpRequest
  /** The dearest cost; 0 = the endpoint costs nothing, whatever comes of it. */
  readonly costMax: Credits
  judge(answer: HttpAnswer): Verdict
  /** For the ledger's log. */
  readonly why: string
}

export type AsideResult =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer }
  /** Nothing was sent. */
  | { readonly kind: 'denied'; readonly outcome: Outcome; readonly reason: string }
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly reason: string }

type Permit = Extract<ReserveDecision, { kind: 'granted' }>

interface Asking {
  readonly ports: PollPorts
  readonly source: Source
  readonly call: AsideCall
  readonly signal: AbortSignal
}

/** One call within the quota: reserve, send once, judge, settle. @throws what the ledger throws */
export async function askAside(
  ports: PollPorts,
  source: Source,
  call: AsideCall,
  signal: AbortSignal,
): Promise<AsideResult> {
  const decision = await ports.ledger.reserve({
    scope: source.scope,
    reservationId: ports.newId(),
    costMax: isBilled(source) ? call.costMax : Credits(0),
    slot: null,
    now: ports.clock.now(),
  })
  if (decision.kind === 'granted') return ask({ ports, source, call, signal }, decision)
  if (decision.kind !== 'denied') return { kind: 'denied', outcome: 'denied-by-quota', reason: decision.kind }
  return { kind: 'denied', outcome: outcomeOfDenial(decision.why), reason: decision.reason }
}

async function ask(asking: Asking, permit: Permit): Promise<AsideResult> {
  const answer = await send(asking, permit)
  if (answer instanceof Error) {
    await settle(asking, permit, answer, undefined)
    return { kind: 'refused', outcome: 'transport-error', reason: answer.message }
  }
  const verdict = asking.call.judge(answer)
  await settle(asking, permit, answer, verdict)
  if (verdict.kind === 'answered') return { kind: 'answered', answer }
  return { kind: 'refused', outcome: verdict.outcome, reason: verdict.reason }
}

async function send({ ports, source, call, signal }: Asking, permit: Permit): Promise<HttpAnswer | Error> {
  try {
    const answer = await ports.http.send({
      ...callOf(source, call.request, ports.clock.now()),
      startBy: permit.startBy,
      deadlineMs: ports.deadlineMs ?? defaultDeadlineMs,
      signal,
      slot: '',
    })
    announce('received')
    return answer
  } catch (error) {
    return toCryptosError(error)
  }
}

/** What costs nothing stays free also where no answer came; the call of the minute stays in the ledger's log. */
function settle(
  { ports, source, call }: Asking,
  permit: Permit,
  answer: HttpAnswer | Error,
  verdict: Verdict | undefined,
): Promise<void> {
  const isFree = call.costMax === 0 || !isBilled(source)
  const pauseUntil = verdict && !(answer instanceof Error) ? pauseOf(verdict, answer) : undefined
  const judged = verdict?.kind === 'refused' ? verdict.reason : call.why
  return ports.ledger.settle({
    scope: source.scope,
    reservationId: permit.reservationId,
    charge: isFree ? free : (verdict?.charge ?? unknownCharge),
    providerDate: answer instanceof Error ? null : providerDate(answer),
    now: ports.clock.now(),
    why: answer instanceof Error ? answer.message : judged,
    ...(pauseUntil === undefined ? {} : { pauseUntil }),
  })
}
