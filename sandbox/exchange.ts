import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../core/ports/clock.ts'
import { Acting } from './acting.ts'
import { wait, writeAnswer } from './answer.ts'
import type { ActiveFault, FaultControl } from './faults.ts'
import type { Meter, MeterEntry } from './meter.ts'
import type { Call, Reply, SandboxProvider, Twin } from './types.ts'

/** One request on its way through a twin, with everything that may go wrong on the way. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly provider: SandboxProvider
  readonly twin: Twin
  readonly url: URL
  /** Path without the provider's prefix. */
  readonly endpoint: string
  readonly clock: Clock
  readonly meter: Meter
  readonly control: FaultControl
  /** Fires when the sandbox closes: nothing waits on. */
  readonly signal: AbortSignal
}

type Replacement = Pick<Reply, 'status' | 'body' | 'code'> & Partial<Pick<Reply, 'headers'>>

const page =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>'

/** Plays one request: faults before, the twin's answer and charge, the note in the meter, faults after, the bytes. */
export async function playExchange(exchange: Exchange): Promise<void> {
  const { control, provider, endpoint, twin, clock } = exchange
  const acting = new Acting(control, control.matching(provider, endpoint))
  await wait(
    exchange,
    acting.claim('delay', fault => fault.when === 'before'),
  )
  const foreign = twin.useElsewhere && acting.claim('foreign-use')
  if (foreign) twin.useElsewhere?.(foreign.credits, clock.now())
  const call = callOf(exchange)
  const reply = answerWithFaults(twin, call, acting)
  const lost = reply.result === 'served' ? acting.claim('lost-answer') : undefined
  const cut = lost ? undefined : acting.claim('cut-body')
  const plan = {
    lost: lost !== undefined,
    cut,
    slow: lost ? undefined : acting.claim('slow-body'),
    delay: acting.claim('delay', fault => fault.when !== 'before'),
    dateOffsetMs: acting.claim('clock-offset')?.ms ?? 0,
  }
  const result = lost || (cut && reply.result === 'served') ? 'lost' : reply.result
  const entry = note(exchange, call, { ...reply, result, faults: acting.names })
  followDelivery(exchange.response, entry)
  await writeAnswer(exchange, reply, plan)
}

/** The faults that take the place of an answer: one acts at most, and only on a call that would have been served. */
function answerWithFaults(twin: Twin, call: Call, acting: Acting): Reply {
  const replacing = acting.peek('rate-limited', 'server-error', 'html', 'replace-body')
  const dearer = acting.peek('overcharge')
  const dearerFactor = dearer?.spec.kind === 'overcharge' ? (dearer.spec.factor ?? 2) : 1
  const isFree = replacing !== undefined && !isCharged(replacing)
  const reply = twin.answer({ ...call, priceFactor: isFree ? 0 : dearerFactor })
  if (reply.result !== 'served') return reply
  if (dearer && reply.credits > 0) acting.claimOne(dearer)
  const replacement = replacing && acting.claimOne(replacing) ? replace(twin, call, replacing) : undefined
  return replacement ? { ...reply, ...replacement, result: 'failed', served: [] } : reply
}

const isCharged = ({ spec }: ActiveFault): boolean => 'charged' in spec && spec.charged === true

function replace(twin: Twin, call: Call, { spec }: ActiveFault): Replacement | undefined {
  if (spec.kind === 'server-error') return twin.serverError(call, spec.status ?? 500)
  if (spec.kind === 'replace-body') return { status: spec.status ?? 200, body: spec.body, code: 'replaced' }
  if (spec.kind === 'html')
    return { status: 200, body: page, code: 'html', headers: { 'content-type': 'text/html; charset=utf-8' } }
  if (spec.kind !== 'rate-limited') return undefined
  const seconds = spec.retryAfterSeconds
  return {
    ...twin.rateLimited(call),
    ...(seconds === undefined ? {} : { headers: { 'retry-after': String(seconds) } }),
  }
}

function callOf({ request, url, provider, endpoint, clock }: Exchange): Call {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
  const ip = (request.socket.remoteAddress ?? '127.0.0.1').replace('::ffff:', '')
  return { at: clock.now(), provider, endpoint, query: url.searchParams, headers, ip, priceFactor: 1 }
}

type Noted = Omit<Reply, 'result'> & Pick<MeterEntry, 'result' | 'faults'>

function note({ meter }: Exchange, call: Call, reply: Noted): MeterEntry {
  const { scope, status, code, credits, result, faults } = reply
  const inHeader = call.headers['x-cmc_pro_api_key'] !== undefined
  return meter.record({
    at: call.at,
    provider: call.provider,
    endpoint: call.endpoint,
    scope,
    keyIn: inHeader ? 'header' : call.query.has('CMC_PRO_API_KEY') ? 'query' : 'none',
    status,
    code,
    credits,
    result,
    faults: [...faults],
    values: reply.served,
  })
}

/** Notes whether the whole body was handed to the connection, or the caller went away before. */
function followDelivery(response: ServerResponse, entry: MeterEntry): void {
  response.once('finish', () => {
    entry.delivered = true
  })
  response.once('close', () => {
    entry.delivered ??= false
  })
}
