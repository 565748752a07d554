import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../core/ports/clock.ts'
import { Acting } from './acting.ts'
import { wait, writeAnswer } from './answer.ts'
import { answerWithFaults, isUnreadable, wireFault } from './exchange-faults.ts'
import type { FaultControl } from './faults.ts'
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
  const reply = answerWithFaults({ twin, call, acting, url: exchange.url.pathname + exchange.url.search })
  const lost = reply.result === 'served' ? acting.claim('lost-answer') : undefined
  const wire = reply.result === 'served' && !lost ? wireFault(acting) : undefined
  const cut = lost || wire ? undefined : acting.claim('cut-body')
  const plan = {
    lost: lost !== undefined,
    cut,
    slow: lost || wire ? undefined : acting.claim('slow-body'),
    wire,
    delay: acting.claim('delay', fault => fault.when !== 'before'),
    dateOffsetMs: acting.claim('clock-offset')?.ms ?? 0,
  }
  const isLost = lost || (wire && isUnreadable(wire)) || (cut && reply.result === 'served')
  const result = isLost ? 'lost' : reply.result
  const entry = note(exchange, call, { ...reply, result, faults: acting.names })
  followDelivery(exchange.response, entry)
  await writeAnswer(exchange, reply, plan)
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
    keyIn: reply.keyIn ?? (inHeader ? 'header' : call.query.has('CMC_PRO_API_KEY') ? 'query' : 'none'),
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
