import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import { reconcileDue } from '../quota/reconcile.ts'
import { askAside } from './ask-aside.ts'
import { free } from './judging.ts'
import type { PollPorts, Source } from './poll-types.ts'
import type { HttpAnswer, Page, Verdict } from './provider.ts'

export type UsageResult =
  | { readonly kind: 'reconciled' }
  /** The provider has no usage endpoint for this access. */
  | { readonly kind: 'none' }
  | { readonly kind: 'denied'; readonly outcome: Outcome; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly unauthorized: boolean }

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
  const { usage, datasets } = source.provider
  if (!usage || !source.key) return { kind: 'none' }
  const judge = usage.judge ?? ((answer: HttpAnswer) => datasets[0]?.judge(answer, noPage) ?? unjudged)
  const call = { request: usage.request, costMax: Credits(0), judge, why: 'usage read' }
  try {
    const result = await askAside(ports, source, call, signal)
    if (result.kind === 'denied') return result
    if (result.kind === 'refused')
      return { kind: 'failed', reason: result.reason, unauthorized: result.outcome === 'unauthorized' }
    const { body, receivedAt } = result.answer
    await ports.ledger.reconcile(source.scope, usage.read(body, receivedAt))
    return { kind: 'reconciled' }
  } catch (error) {
    return { kind: 'failed', reason: toCryptosError(error).message, unauthorized: false }
  }
}

const noPage: Page = { assets: [], currency: 'USD' }
const unjudged: Verdict = { kind: 'answered', charge: free }
