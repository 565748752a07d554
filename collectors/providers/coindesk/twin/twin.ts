import type { EpochMicros } from '../../../../core/brands.ts'
import { keyScope } from '../../../../sandbox/hash.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Call, Reply, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { Bpi } from './bpi.ts'
import { DataApi, errorAnswer } from './data-api.ts'
import { type CoinDeskLimits, type End, readLimits } from './limits.ts'
import { type Answer, replyOf, textAnswer } from './reply.ts'

export const tooMany = 'coindesk 99'
const tooManyMessage = 'You are over your rate limit please upgrade your account!'

/**
 * Both dialects of CoinDesk below one address: `/v1/bpi/…` is the Bitcoin Price Index (no key, nothing billed), everything else the
 * Data API (`Authorization: Apikey <key>` or `?api_key=`, one credit a call). What a test may change, also how the index ends
 * (mislabelled, frozen, gone), stands in `CoinDeskLimits` (limits.ts).
 */
export class CoinDeskTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: CoinDeskLimits & { readonly at: End }
  readonly #bpi: Bpi
  readonly #data: DataApi
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = readLimits(options)
    this.#bpi = new Bpi(options.prices, this.#limits.at)
    this.#data = new DataApi(options.prices)
    for (const key of options.keys) this.#openKey(keyScope('coindesk', key))
  }

  answer(call: Call): Reply {
    return isBpi(call) ? this.#answerBpi(call) : this.#answerData(call)
  }

  rateLimited(call: Call): Pick<Reply, 'status' | 'body' | 'code'> {
    return isBpi(call) ? textAnswer(429, 'Too Many Requests') : this.#refusal(call)
  }

  serverError(call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return isBpi(call)
      ? textAnswer(status, 'No results returned from database')
      : errorAnswer(status, 3, 'Something went wrong on our side.')
  }

  useElsewhere(credits: number, at: EpochMicros): { scope: string; credits: number } {
    const scope = keyScope('coindesk', this.#options.keys[0] ?? '')
    const { meter } = this.#options
    const left = (['day', 'month'] as const).map(period => this.#left(scope, period, at))
    const charged = Math.max(0, Math.min(credits, ...left))
    meter.addCredits(scope, at, charged, true)
    return { scope, credits: charged }
  }

  #answerBpi(call: Call): Reply {
    const scope = `ip:${call.ip}/coindesk-bpi`
    const { meter } = this.#options
    const { bpiCallsPerMinute: most } = this.#limits
    meter.openScope(scope, 'coindesk', { minute: most, day: null, month: null })
    meter.addCall(scope, call.at)
    const isOver = most !== null && meter.use(scope, 'minute', call.at).calls > most
    const answer = isOver
      ? { ...textAnswer(429, 'Too Many Requests'), code: tooMany }
      : this.#bpi.answer(call)
    return replyOf(answer, { scope, credits: 0, keyIn: keyOf(call).keyIn })
  }

  #answerData(call: Call): Reply {
    const { key, keyIn } = keyOf(call)
    const scope = key === undefined ? `ip:${call.ip}` : keyScope('coindesk', key)
    const refuse = (answer: Answer): Reply => replyOf(answer, { scope, keyIn, credits: 0 })
    if (key === undefined) return refuse(errorAnswer(401, 2, 'API key required, please get one to go on.'))
    if (!this.#options.keys.includes(key)) return refuse(errorAnswer(401, 2, 'API key is not valid.'))
    const { meter } = this.#options
    meter.addCall(scope, call.at)
    if (this.#isOver(scope, call.at)) return refuse(this.#refusal(call))
    const answer = this.#data.answer(call)
    const credits = answer.status === 200 ? call.priceFactor : 0
    meter.addCredits(scope, call.at, credits)
    return replyOf(answer, { scope, keyIn, credits })
  }

  #openKey(scope: string): void {
    const { callsPerMinute: minute, callsPerDay: day, callsPerMonth: month } = this.#limits
    this.#options.meter.openScope(scope, 'coindesk', { minute, day, month })
  }

  #left(scope: string, period: 'day' | 'month', at: EpochMicros): number {
    const most = period === 'day' ? this.#limits.callsPerDay : this.#limits.callsPerMonth
    return (most ?? Number.POSITIVE_INFINITY) - this.#options.meter.use(scope, period, at).credits
  }

  #isOver(scope: string, at: EpochMicros): boolean {
    const { calls } = this.#options.meter.use(scope, 'minute', at)
    if (calls > this.#limits.callsPerMinute) return true
    return this.#left(scope, 'day', at) < 1 || this.#left(scope, 'month', at) < 1
  }

  #refusal(call: Call): Answer {
    if (this.#limits.refusal === 'http-429') return { ...errorAnswer(429, 99, tooManyMessage), code: tooMany }
    const scope = keyScope('coindesk', keyOf(call).key ?? '')
    const { meter } = this.#options
    const { callsPerMinute, callsPerDay, callsPerMonth } = this.#limits
    const made = {
      minute: meter.use(scope, 'minute', call.at).calls,
      day: meter.use(scope, 'day', call.at).credits,
      month: meter.use(scope, 'month', call.at).credits,
    }
    const most = { minute: callsPerMinute, day: callsPerDay ?? -1, month: callsPerMonth ?? -1 }
    const body = {
      ...{ Response: 'Error', Message: tooManyMessage, HasWarning: false, Type: 99 },
      RateLimit: { calls_made: made, max_calls: most },
      Data: {},
    }
    return { status: 200, body: toJson(body), code: tooMany, served: [] }
  }
}

const isBpi = ({ endpoint }: Call): boolean => endpoint.startsWith('/v1/bpi/')

function keyOf(call: Call): {
  readonly key: string | undefined
  readonly keyIn: 'header' | 'query' | 'none'
} {
  const inHeader = /^Apikey (.+)$/i.exec(call.headers['authorization'] ?? '')?.[1]
  if (inHeader !== undefined) return { key: inHeader, keyIn: 'header' }
  const inQuery = call.query.get('api_key') ?? undefined
  return { key: inQuery, keyIn: inQuery === undefined ? 'none' : 'query' }
}
