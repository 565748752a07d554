import { Credits, type EpochMicros } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Charge, ReserveDecision } from '../core/ports/ledger.ts'
import { announce } from '../core/steps.ts'
import { free, providerDate, unknownCharge } from './judging.ts'
import {
  defaultDeadlineMs,
  isBilled,
  outcomeOfDenial,
  type PollPorts,
  type Source,
  spenderOf,
} from './poll-types.ts'
import { pauseUntilOf } from './pause-of-credits.ts'
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

/**
 * One call within the quota and the pace of its provider: reserve, send once, judge, settle.
 * @throws what the ledger throws, CRY_ABORTED when the signal fires before its turn
 */
export function askAside(
  ports: PollPorts,
  source: Source,
  call: AsideCall,
  signal: AbortSignal,
): Promise<AsideResult> {
  const turn = { name: source.provider.id, minTimeMs: source.access.minTimeMs, signal }
  return ports.pace.schedule(turn, () => askInTurn({ ports, source, call, signal }))
}

async function askInTurn(asking: Asking): Promise<AsideResult> {
  const { ports, source, call } = asking
  const decision = await ports.ledger.reserve({
    scope: source.scope,
    reservationId: ports.newId(),
    costMax: isBilled(source) ? call.costMax : Credits(0),
    slot: null,
    ...spenderOf(ports),
    now: ports.clock.now(),
  })
  if (decision.kind === 'granted') return ask(asking, decision)
  if (decision.kind !== 'denied') return { kind: 'denied', outcome: 'denied-by-quota', reason: decision.kind }
  return { kind: 'denied', outcome: outcomeOfDenial(decision.why), reason: decision.reason }
}

async function ask(asking: Asking, permit: Permit): Promise<AsideResult> {
  const sent = await send(asking, permit)
  if ('failure' in sent) {
    const { message } = toCryptosError(sent.failure)
    const charge = sent.wasSent ? unknownCharge : free
    await settle(asking, permit, { charge, providerDate: null, why: message })
    return { kind: 'refused', outcome: 'transport-error', reason: message }
  }
  const { answer } = sent
  const verdict = asking.call.judge(answer)
  const isGood = verdict.kind === 'answered'
  await settle(asking, permit, {
    charge: verdict.charge,
    providerDate: providerDate(answer),
    why: isGood ? asking.call.why : verdict.reason,
    pauseUntil: await pauseUntilOf(asking.ports, asking.source, verdict, answer),
  })
  if (isGood) return { kind: 'answered', answer }
  return { kind: 'refused', outcome: verdict.outcome, reason: verdict.reason }
}

type Sent =
  | { readonly answer: HttpAnswer }
  /** What never left costs nothing. */
  | { readonly failure: unknown; readonly wasSent: boolean }

async function send({ ports, source, call, signal }: Asking, permit: Permit): Promise<Sent> {
  let wasSent = false
  try {
    const answer = await ports.http.send({
      ...callOf(source, call.request, ports.clock.now()),
      startBy: permit.startBy,
      deadlineMs: ports.deadlineMs ?? defaultDeadlineMs,
      signal,
      slot: '',
      onSent: () => {
        wasSent = true
      },
    })
    announce('received')
    return { answer }
  } catch (failure) {
    return { failure, wasSent }
  }
}

interface Judged {
  readonly charge: Charge
  readonly providerDate: EpochMicros | null
  readonly why: string
  readonly pauseUntil?: EpochMicros | undefined
}

/** What costs nothing stays free also where no answer came; the call of the minute stays in the ledger's log. */
function settle({ ports, source, call }: Asking, permit: Permit, judged: Judged): Promise<void> {
  const { pauseUntil, charge, ...rest } = judged
  return ports.ledger.settle({
    scope: source.scope,
    reservationId: permit.reservationId,
    ...rest,
    charge: call.costMax === 0 || !isBilled(source) ? free : charge,
    now: ports.clock.now(),
    ...(pauseUntil === undefined ? {} : { pauseUntil }),
  })
}
