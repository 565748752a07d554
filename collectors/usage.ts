import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { ReserveDecision } from '../core/ports/ledger.ts'
import { announce } from '../core/steps.ts'
import { reconcileDue } from '../quota/reconcile.ts'
import { defaultDeadlineMs, outcomeOfDenial, type PollPorts, type Source } from './poll-types.ts'
import { free, pauseOf, providerDate } from './judging.ts'
import { callOf } from './request.ts'
import type { HttpAnswer, Page, UsageEndpoint, Verdict } from './provider.ts'

export type UsageResult =
  | { readonly kind: 'reconciled' }
  /** The provider has no usage endpoint for this access. */
  | { readonly kind: 'none' }
  | { readonly kind: 'denied'; readonly outcome: Outcome; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly unauthorized: boolean }

type Permit = Extract<ReserveDecision, { kind: 'granted' }>

/**
 * The same where it is due by rules 5-7, for whoever is about to spend: a loop as well as a scheduler's process that lives for one
 * sweep. When it was last tried is in the ledger. null = it is not due. @throws what the ledger throws
 */
export async function reconcileWhenDue(
  ports: PollPorts,
  source: Source,
  signal: AbortSignal,
): Promise<{ readonly why: string; readonly result: UsageResult } | null> {
  if (!source.provider.usage || !source.key) return null
  const now = ports.clock.now()
  const status = (await ports.ledger.status(now)).find(s => s.scope === source.scope)
  const why = reconcileDue({ now, hasUsage: true, status })
  return why === null ? null : { why, result: await reconcileUsage(ports, source, signal) }
}

/**
 * Asks the provider what was used (0 credits, but a call of the minute) and gives its word to the ledger (quota rules 1 and 5).
 * Never throws.
 */
export async function reconcileUsage(
  ports: PollPorts,
  source: Source,
  signal: AbortSignal,
): Promise<UsageResult> {
  const { usage } = source.provider
  if (!usage || !source.key) return { kind: 'none' }
  try {
    const now = ports.clock.now()
    const request = {
      scope: source.scope,
      reservationId: ports.newId(),
      costMax: Credits(0),
      slot: null,
      now,
    }
    const decision = await ports.ledger.reserve(request)
    if (decision.kind === 'denied')
      return { kind: 'denied', outcome: outcomeOfDenial(decision.why), reason: decision.reason }
    if (decision.kind !== 'granted')
      return { kind: 'denied', outcome: 'denied-by-quota', reason: decision.kind }
    return await askUsage({ ports, source, usage, signal }, decision)
  } catch (error) {
    return { kind: 'failed', reason: toCryptosError(error).message, unauthorized: false }
  }
}

interface Asking {
  readonly ports: PollPorts
  readonly source: Source
  readonly usage: UsageEndpoint
  readonly signal: AbortSignal
}

async function askUsage(asking: Asking, permit: Permit): Promise<UsageResult> {
  const { ports, source, usage } = asking
  const answer = await sendUsage(asking, permit)
  const isError = answer instanceof Error
  const verdict = isError ? undefined : source.provider.datasets[0]?.judge(answer, noPage)
  await settleUsage(asking, permit, answer, verdict)
  if (isError) return { kind: 'failed', reason: answer.message, unauthorized: false }
  if (verdict?.kind === 'refused')
    return { kind: 'failed', reason: verdict.reason, unauthorized: verdict.outcome === 'unauthorized' }
  await ports.ledger.reconcile(source.scope, usage.read(answer.body, answer.receivedAt))
  return { kind: 'reconciled' }
}

const noPage: Page = { assets: [], currency: 'USD' }

async function sendUsage(
  { ports, source, usage, signal }: Asking,
  permit: Permit,
): Promise<HttpAnswer | Error> {
  try {
    const answer = await ports.http.send({
      ...callOf(source, usage.request, ports.clock.now()),
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

/** The endpoint costs nothing, whatever came of it; the call of the minute stays in the ledger's log. */
function settleUsage(
  { ports, source }: Asking,
  permit: Permit,
  answer: HttpAnswer | Error,
  verdict: Verdict | undefined,
): Promise<void> {
  const pauseUntil = verdict && pauseOf(verdict)
  const refused = verdict?.kind === 'refused' ? verdict.reason : 'usage read'
  return ports.ledger.settle({
    scope: source.scope,
    reservationId: permit.reservationId,
    charge: free,
    providerDate: answer instanceof Error ? null : providerDate(answer),
    now: ports.clock.now(),
    why: answer instanceof Error ? answer.message : refused,
    ...(pauseUntil === undefined ? {} : { pauseUntil }),
  })
}
