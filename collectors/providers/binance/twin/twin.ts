import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { bannedUntil, errorBody, firewallPage, restricted, tooMuchWeight } from './answers.ts'
import { endpoints } from './endpoints.ts'
import { type Admission, type BinanceLimits, Guard, publicLimits } from './guard.ts'
import { Market } from './market.ts'

export const tooMany = 'binance-429'
export const banned = 'binance-418'

type Answer = Pick<Reply, 'status' | 'body' | 'code'>

/** Binance's market data: weights by address and minute with their header, 429 and then 418, 403 and 451 on request. */
export class BinanceTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: BinanceLimits
  readonly #guard: Guard
  readonly #market: Market
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = limitsOf(publicLimits, options)
    this.#guard = new Guard(this.#limits)
    this.#market = new Market(options.prices)
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/binance`
    const { meter } = this.#options
    meter.openScope(scope, 'binance', { minute: null, day: null, month: null })
    meter.addCall(scope, call.at)
    const closed = this.#closedDoor()
    if (closed) return refused(scope, closed)
    const endpoint = endpoints.get(call.endpoint)
    const admission = this.#guard.admit(call.ip, endpoint?.weight(call.query) ?? 1, call.at)
    const headers = headersOf(admission, call)
    if (admission.kind !== 'welcome') return refused(scope, this.#refusal(admission), headers)
    const said = endpoint?.answer({ query: call.query, at: call.at, market: this.#market })
    if (!said) return refused(scope, { status: 404, body: 'Not Found', code: '404' }, headers)
    if ('status' in said) {
      const { status, code, message } = said
      return refused(scope, { status, body: errorBody(code, message), code: String(code) }, headers)
    }
    return {
      status: 200,
      body: said.body,
      headers,
      code: '0',
      credits: 0,
      scope,
      result: 'served',
      served: said.served,
    }
  }

  rateLimited(): Answer {
    const message = tooMuchWeight(this.#limits.weightPerMinute)
    return { status: 429, body: errorBody(-1003, message), code: tooMany }
  }

  serverError(_call: Call, status: number): Answer {
    const message = 'Internal error; unable to process your request. Please try again.'
    return { status, body: errorBody(-1001, message), code: '-1001' }
  }

  #closedDoor(): Answer | undefined {
    if (this.#limits.isGeoBlocked) return { status: 451, body: errorBody(0, restricted), code: '451' }
    return this.#limits.isFirewalled ? { status: 403, body: firewallPage, code: '403' } : undefined
  }

  #refusal(admission: Exclude<Admission, { kind: 'welcome' }>): Answer {
    if (admission.kind === 'slow-down') return this.rateLimited()
    return { status: 418, body: errorBody(-1003, bannedUntil(admission.untilMs)), code: banned }
  }
}

function headersOf(admission: Admission, { at }: Call): Record<string, string> {
  const weight = String(admission.used)
  const headers = { 'x-mbx-used-weight': weight, 'x-mbx-used-weight-1m': weight }
  if (admission.kind === 'welcome') return headers
  const waitMs = admission.kind === 'banned' ? admission.untilMs - at / 1_000 : admission.waitMs
  return { ...headers, 'retry-after': String(Math.ceil(waitMs / 1_000)) }
}

const refused = (scope: string, answer: Answer, headers: Record<string, string> = {}): Reply => ({
  ...answer,
  headers,
  credits: 0,
  scope,
  result: 'refused',
  served: [],
})
