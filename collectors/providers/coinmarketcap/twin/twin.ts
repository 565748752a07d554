import type { EpochMicros } from '../../../../core/brands.ts'
import { keyScope } from '../../../../sandbox/hash.ts'
import type { Call, Reply, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { Account } from './account.ts'
import type { Answer, Endpoint } from './endpoint.ts'
import { dataBody, errorBody } from './envelope.ts'
import { BadRequest, busyMessage, gatewayErrors } from './errors.ts'
import type { GatewayCode } from './errors.ts'
import { endpoints, paidPaths } from './endpoints.ts'
import { Market } from './market.ts'

const keylessPrefix = '/public-api'

/** Asked path without the keyless prefix, and what stands there. */
interface Target {
  readonly keyless: boolean
  readonly path: string
  readonly endpoint: Endpoint | undefined
}

function targetOf(call: Call): Target {
  const keyless = call.endpoint.startsWith(`${keylessPrefix}/`)
  const path = keyless ? call.endpoint.slice(keylessPrefix.length) : call.endpoint
  return { keyless, path, endpoint: endpoints.get(path) }
}

/** CoinMarketCap Pro and its keyless paths: gateway first (key, minute, credits, plan), then the endpoint, then the charge. */
export class CoinMarketCapTwin implements Twin {
  readonly #options: TwinOptions
  readonly #market: Market
  readonly #accounts = new Map<string, Account>()
  constructor(options: TwinOptions) {
    this.#options = options
    this.#market = new Market(options.prices)
    for (const key of options.keys) this.#account(keyScope('coinmarketcap', key), false)
  }

  answer(call: Call): Reply {
    const target = targetOf(call)
    if (target.endpoint === undefined && !paidPaths.has(target.path)) return notFound(call)
    return target.keyless ? this.#answerKeyless(call, target) : this.#answerKeyed(call, target)
  }

  rateLimited(call: Call): Pick<Reply, 'status' | 'body' | 'code'> {
    const code = targetOf(call).keyless ? 1011 : 1008
    return { status: 429, body: errorBody(code, gatewayErrors[code][1], 'A', call.at), code: String(code) }
  }

  serverError(call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    const variant = targetOf(call).endpoint?.variant ?? 'A'
    return { status, body: errorBody(500, busyMessage, variant, call.at), code: '500' }
  }

  useElsewhere(credits: number, at: EpochMicros): { scope: string; credits: number } {
    const account = this.#account(keyScope('coinmarketcap', this.#options.keys[0] ?? ''), false)
    const charged = Math.min(credits, account.creditsLeft(at))
    account.charge(at, charged, true)
    return { scope: account.scope, credits: charged }
  }

  #answerKeyless(call: Call, { endpoint }: Target): Reply {
    const account = this.#account(`ip:${call.ip}`, true)
    account.countCall(call.at)
    if (account.callsThisMinute(call.at) > account.callsPerMinute) return refuse(call, account.scope, 1011)
    if (!endpoint?.keyless) return refuse(call, account.scope, 1005)
    return this.#run(call, account, endpoint)
  }

  #answerKeyed(call: Call, { endpoint }: Target): Reply {
    const key = call.headers['x-cmc_pro_api_key'] ?? call.query.get('CMC_PRO_API_KEY')
    if (!key) return refuse(call, `ip:${call.ip}`, 1002)
    const account = this.#accounts.get(keyScope('coinmarketcap', key))
    if (!account || account.keyless) return refuse(call, keyScope('coinmarketcap', key), 1001)
    account.countCall(call.at)
    if (account.callsThisMinute(call.at) > account.callsPerMinute) return refuse(call, account.scope, 1008)
    if (!endpoint) return refuse(call, account.scope, 1006)
    const exhausted = endpoint.account ? undefined : account.exhausted(call.at)
    return exhausted ? refuse(call, account.scope, exhausted) : this.#run(call, account, endpoint)
  }

  #run(call: Call, account: Account, endpoint: Endpoint): Reply {
    const answer = runEndpoint(endpoint, { at: call.at, query: call.query, market: this.#market, account })
    const { scope } = account
    if (answer instanceof BadRequest) {
      const body = errorBody(400, answer.message, endpoint.variant, call.at)
      return { status: 400, body, code: '400', credits: 0, scope, result: 'refused', served: [] }
    }
    const credits = account.keyless ? 0 : answer.credits * call.priceFactor
    account.charge(call.at, credits)
    const body = dataBody(answer.data, {
      variant: endpoint.variant,
      at: call.at,
      // Keyless answers say 1, and nothing is billed.
      credits: account.keyless ? 1 : credits,
      statusFirst: endpoint.statusFirst ?? false,
      total: answer.total,
    })
    return { status: 200, body, code: '0', credits, scope, result: 'served', served: answer.values }
  }

  #account(scope: string, keyless: boolean): Account {
    const known = this.#accounts.get(scope)
    if (known) return known
    const account = new Account(scope, this.#options.plan, this.#options.meter, keyless)
    this.#accounts.set(scope, account)
    return account
  }
}

function runEndpoint(endpoint: Endpoint, context: Parameters<Endpoint['run']>[0]): Answer | BadRequest {
  try {
    return endpoint.run(context)
  } catch (error) {
    if (error instanceof BadRequest) return error
    throw error
  }
}

/** Gateway errors have envelope A, whatever the endpoint's own is. */
function refuse(call: Call, scope: string, code: GatewayCode): Reply {
  const [status, message] = gatewayErrors[code]
  const body = errorBody(code, message, 'A', call.at)
  return { status, body, code: String(code), credits: 0, scope, result: 'refused', served: [] }
}

/** Not documented: a path that nobody serves. A plain 404 shows a wrong URL soonest. */
function notFound(call: Call): Reply {
  const body = JSON.stringify({ statusCode: 404, error: 'Not Found', message: 'Not Found' })
  return { status: 404, body, code: '404', credits: 0, scope: `ip:${call.ip}`, result: 'refused', served: [] }
}
