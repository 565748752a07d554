import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, MINUTE, SECOND, toEpochMs } from '../../../../core/time.ts'
import { keyScope } from '../../../../sandbox/hash.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import {
  type Answer,
  missingKey,
  monthError,
  plainError,
  rateError,
  statusError,
  wrongHost,
} from './answers.ts'
import { coinsOf } from './coins.ts'
import { answerOf, type Site } from './endpoints.ts'
import { Market } from './market.ts'

/** Limits that a test may change (`limits: {coingecko: {…}}`). */
const own = {
  /** Of a Demo key. */
  callsPerMinute: 30,
  creditsPerMonth: 10_000,
  /** Of an address without a key. */
  keylessPerMinute: 5,
  cacheMs: MINUTE,
  reachMs: 365 * DAY,
  /** Made-up coins behind the others. */
  extraCoins: 0,
  /** "Too many requests" with HTTP 200. */
  as200: false,
  /** The same as a page of the CDN. */
  asHtml: false,
}

interface Caller {
  readonly scope: string
  readonly keyIn: 'header' | 'query' | 'none'
  readonly key: string | undefined
}

/** CoinGecko's public API: a Demo key by header or query, or none; errors in four shapes. */
export class CoingeckoTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: typeof own
  readonly #site: Site
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = limitsOf(own, options)
    const { cacheMs, reachMs, extraCoins } = this.#limits
    this.#site = { market: new Market(options.prices), coins: coinsOf(extraCoins), cacheMs, reachMs }
  }

  answer(call: Call): Reply {
    const caller = callerOf(call)
    const { scope, keyIn } = caller
    const refused = this.#refusal(call, caller)
    this.#options.meter.addCall(scope, call.at)
    const answer = refused ?? this.#answer(call)
    const credits = answer.credits * call.priceFactor
    this.#options.meter.addCredits(scope, call.at, credits)
    return { ...answer, credits, scope, keyIn }
  }

  rateLimited({ at }: Call): Answer {
    const { as200, asHtml } = this.#limits
    const left = MINUTE - (toEpochMs(at) % MINUTE)
    return rateError({ as200, asHtml, retryAfterSeconds: Math.ceil(left / SECOND) })
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return statusError(status, status, 'Internal Server Error')
  }

  useElsewhere(credits: number, at: EpochMicros): { readonly scope: string; readonly credits: number } {
    const scope = keyScope('coingecko', this.#options.keys[0] ?? '')
    const { meter } = this.#options
    const month = this.#limits.creditsPerMonth
    meter.openScope(scope, 'coingecko', { minute: this.#limits.callsPerMinute, day: null, month })
    const charged = Math.min(credits, Math.max(0, month - meter.use(scope, 'month', at).credits))
    meter.addCredits(scope, at, charged, true)
    return { scope, credits: charged }
  }

  /** Whoever is not let in; opens the caller's scope. */
  #refusal(call: Call, { scope, key }: Caller): Answer | undefined {
    const { meter, keys } = this.#options
    const { callsPerMinute, creditsPerMonth, keylessPerMinute } = this.#limits
    const minute = key === undefined ? keylessPerMinute : callsPerMinute
    const month = key === undefined ? null : creditsPerMonth
    meter.openScope(scope, 'coingecko', { minute, day: null, month })
    if (call.headers['x-cg-pro-api-key'] !== undefined || call.query.has('x_cg_pro_api_key'))
      return wrongHost(call.at)
    if (key !== undefined && !keys.includes(key)) return missingKey(call.at)
    if (meter.use(scope, 'minute', call.at).calls >= minute) return this.rateLimited(call)
    return month !== null && meter.use(scope, 'month', call.at).credits >= month ? monthError() : undefined
  }

  #answer(call: Call): Answer {
    const path = /^\/api\/v3(\/.*)$/.exec(call.endpoint)?.[1]
    return path === undefined ? plainError(404, 'not found') : answerOf(this.#site, path, call)
  }
}

function callerOf({ headers, query, ip }: Call): Caller {
  const header = headers['x-cg-demo-api-key']
  const key = header ?? query.get('x_cg_demo_api_key') ?? undefined
  const keyIn = header !== undefined ? 'header' : key !== undefined ? 'query' : 'none'
  return { key, keyIn, scope: key === undefined ? `ip:${ip}/coingecko` : keyScope('coingecko', key) }
}
