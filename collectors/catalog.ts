import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Charge, ReserveDecision } from '../core/ports/ledger.ts'
import { announce } from '../core/steps.ts'
import { free, providerDate, unknownCharge } from './judging.ts'
import { defaultDeadlineMs, isBilled, outcomeOfDenial, type PollPorts, type Source } from './poll-types.ts'
import type { Catalog, CatalogEntry, HttpAnswer } from './provider.ts'
import { callOf } from './request.ts'

export type CatalogResult =
  | { readonly kind: 'listed'; readonly entries: readonly CatalogEntry[] }
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly reason: string }

interface Asking {
  readonly ports: PollPorts
  readonly source: Source
  readonly catalog: Catalog
  readonly signal: AbortSignal
}

type Permit = Extract<ReserveDecision, { kind: 'granted' }>

/** The list of assets of a provider, by one call within the quota. Never throws. @param symbol only these, in any letter case */
export async function askCatalog(
  ports: PollPorts,
  source: Source,
  signal: AbortSignal,
  symbol?: string,
): Promise<CatalogResult> {
  const { catalog, title } = source.provider
  if (!catalog)
    return { kind: 'refused', outcome: 'source-disabled', reason: `${title} has no list of assets` }
  try {
    const permit = await reserve(ports, source, catalog)
    if ('refused' in permit) return { kind: 'refused', ...permit.refused }
    return await ask({ ports, source, catalog, signal }, permit, symbol)
  } catch (error) {
    return { kind: 'refused', outcome: 'failed', reason: toCryptosError(error).message }
  }
}

type Refusal = { readonly refused: { readonly outcome: Outcome; readonly reason: string } }

async function reserve(ports: PollPorts, source: Source, catalog: Catalog): Promise<Permit | Refusal> {
  const decision = await ports.ledger.reserve({
    scope: source.scope,
    reservationId: ports.newId(),
    costMax: isBilled(source) ? catalog.costMax : Credits(0),
    slot: null,
    now: ports.clock.now(),
  })
  if (decision.kind === 'granted') return decision
  if (decision.kind === 'denied')
    return { refused: { outcome: outcomeOfDenial(decision.why), reason: decision.reason } }
  return { refused: { outcome: 'denied-by-quota', reason: decision.kind } }
}

async function ask(asking: Asking, permit: Permit, symbol: string | undefined): Promise<CatalogResult> {
  const { catalog } = asking
  const sent = await send(asking, permit, symbol)
  if (sent instanceof Error) {
    await settle(asking, permit, { charge: unknownCharge, answer: null, why: sent.message })
    return { kind: 'refused', outcome: 'transport-error', reason: sent.message }
  }
  const verdict = catalog.judge(sent)
  const why = verdict.kind === 'refused' ? verdict.reason : 'list of assets read'
  await settle(asking, permit, { charge: verdict.charge, answer: sent, why })
  if (verdict.kind === 'refused') return { kind: 'refused', outcome: verdict.outcome, reason: verdict.reason }
  const wanted = symbol?.toLowerCase()
  const entries = catalog
    .read(sent.body)
    .filter(entry => wanted === undefined || entry.symbol.toLowerCase() === wanted)
  return { kind: 'listed', entries }
}

async function send(
  { ports, source, catalog, signal }: Asking,
  permit: Permit,
  symbol: string | undefined,
): Promise<HttpAnswer | Error> {
  try {
    const answer = await ports.http.send({
      ...callOf(source, catalog.request(symbol), ports.clock.now()),
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

interface Settling {
  readonly charge: Charge
  readonly answer: HttpAnswer | null
  readonly why: string
}

const settle = ({ ports, source }: Asking, permit: Permit, how: Settling): Promise<void> =>
  ports.ledger.settle({
    scope: source.scope,
    reservationId: permit.reservationId,
    charge: isBilled(source) ? how.charge : free,
    providerDate: how.answer === null ? null : providerDate(how.answer),
    now: ports.clock.now(),
    why: how.why,
  })
