import type { EpochMicros } from '../../../../core/brands.ts'
import { type Json, toJson } from '../../../../sandbox/json.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { Account } from './account.ts'
import { authenticate } from './authenticate.ts'
import { historyRows } from './history.ts'
import { type BitcoinAverageLimits, developer } from './limits.ts'
import { findPair, type Pair, selectPairs } from './pairs.ts'
import { fullTicker, gridOf, Index, shortTicker, unix } from './ticker.ts'

/** Code of an answer that a client which keeps its plan never gets. */
export const tooMany = 'bitcoinaverage-429'
export const closedMessage = 'This API is no longer available'
const plain = { 'content-type': 'text/plain; charset=utf-8' }
const indices = '/indices/global'

interface Payload {
  readonly json: Json
  readonly served: readonly ServedValue[]
}

/** A refusal by its status and text. */
interface Failure {
  readonly status: number
  readonly text: string
}

/** BitcoinAverage's API v2: keys and signatures, the plan's requests, the global indices. Errors are text. */
export class BitcoinAverageTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: BitcoinAverageLimits
  readonly #accounts: ReadonlyMap<string, Account>
  constructor(options: TwinOptions) {
    const limits = limitsOf(developer, options)
    this.#options = options
    this.#limits = limits
    this.#accounts = new Map(options.keys.map(key => [key, new Account(key, limits, options.meter)]))
  }

  answer(call: Call): Reply {
    const hasKey = call.headers['x-ba-key'] !== undefined || call.headers['x-signature'] !== undefined
    return { ...this.#answer(call), keyIn: hasKey ? 'header' : 'none' }
  }

  rateLimited(): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status: limited.status, body: limited.text, code: tooMany }
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status, body: 'Internal Server Error', code: String(status) }
  }

  useElsewhere(credits: number, at: EpochMicros): { scope: string; credits: number } {
    const account = this.#accounts.get(this.#options.keys[0] ?? '')
    if (!account) return { scope: 'none', credits: 0 }
    const charged = Math.min(credits, account.left(at))
    account.charge(at, charged, true)
    return { scope: account.scope, credits: charged }
  }

  #answer(call: Call): Reply {
    const address = `ip:${call.ip}/bitcoinaverage`
    if (this.#limits.isClosed || !/^\/(indices|info)\//.test(call.endpoint)) return closed(address)
    const key = authenticate(call, this.#options.keys, this.#limits.maxSkewMs)
    if (typeof key !== 'string') return refused(address, key)
    const account = this.#accounts.get(key)
    if (!account) return refused(address, { status: 401, text: 'Invalid API key' })
    account.countCall(call.at)
    if (call.endpoint === '/info/ratelimits')
      return served(account.scope, { json: account.rateLimits(call.at), served: [] }, 0)
    if (account.left(call.at) === 0) return { ...refused(account.scope, limited), code: tooMany }
    const payload = this.#payload(call)
    if ('text' in payload) return refused(account.scope, payload)
    account.charge(call.at, call.priceFactor)
    return served(account.scope, payload, call.priceFactor)
  }

  #payload(call: Call): Payload | Failure {
    const [, kind, name = ''] =
      new RegExp(`^${indices}/(ticker|history)/([A-Za-z]+)$`).exec(call.endpoint) ?? []
    if (kind === 'history') return this.#history(call, name)
    if (kind === undefined) return { status: 404, text: 'Not found' }
    if (name === 'all' || name === 'short') return this.#tickers(call, name)
    const pair = findPair(name)
    const single = pair && this.#ticker(pair, 'all', call.at)
    return single ?? { status: 404, text: 'Symbol not found' }
  }

  #tickers(call: Call, form: 'all' | 'short'): Payload {
    const found = selectPairs(call.query.get('crypto'), call.query.get('fiat')).flatMap(pair => {
      const payload = this.#ticker(pair, form, call.at)
      return payload ? [[pair.name, payload] as const] : []
    })
    const json = Object.fromEntries(found.map(([name, payload]) => [name, payload.json]))
    const shared = form === 'short' ? { timestamp: unix(gridOf(call.at)) } : {}
    return { json: { ...shared, ...json }, served: found.flatMap(([, payload]) => payload.served) }
  }

  #ticker(pair: Pair, form: 'all' | 'short', now: EpochMicros): Payload | undefined {
    const at = gridOf(now)
    const index = new Index(this.#options.prices, pair)
    const last = index.at(at)
    if (last === undefined) return undefined
    const json = form === 'all' ? fullTicker(pair, index, last, at) : shortTicker(index, last, at)
    return { json, served: [{ sourceId: pair.coin.base, currency: pair.fiat, price: last, observedAt: at }] }
  }

  #history(call: Call, name: string): Payload | Failure {
    if (!this.#limits.hasHistory) return { status: 403, text: 'Higher level API Keys required' }
    const pair = findPair(name)
    if (!pair) return { status: 404, text: 'Symbol not found' }
    const index = new Index(this.#options.prices, pair)
    const period = call.query.get('period') ?? 'alltime'
    const found = historyRows({ pair, index, period, at: call.at, from: this.#limits.historyFrom })
    if (!found || call.query.get('format') !== 'json') return { status: 400, text: 'Bad period or format' }
    return { json: found.rows, served: found.served }
  }
}

const limited: Failure = { status: 429, text: 'Too many requests. The requests of your plan are used up.' }

const served = (scope: string, { json, served: values }: Payload, credits: number): Reply => ({
  status: 200,
  body: toJson(json),
  code: '0',
  credits,
  scope,
  result: 'served',
  served: values,
})

const refused = (scope: string, { status, text }: Failure): Reply => ({
  status,
  body: text,
  headers: plain,
  code: String(status),
  credits: 0,
  scope,
  result: 'refused',
  served: [],
})

/** As the first API answered after its end: HTTP 200. */
const closed = (scope: string): Reply => ({
  ...refused(scope, { status: 200, text: toJson({ message: closedMessage }) }),
  headers: { 'content-type': 'application/json' },
  code: 'closed',
})
