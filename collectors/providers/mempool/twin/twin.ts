import { AssetId, type EpochMicros, EpochMicros as micros } from '../../../../core/brands.ts'
import { DAY, fromEpochMs, HOUR, SECOND, toEpochMs } from '../../../../core/time.ts'
import { Bucket } from '../../../../sandbox/bucket.ts'
import { divide, formatShort, multiply, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { type Json, raw, toJson } from '../../../../sandbox/json.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { type MempoolLimits, own } from './limits.ts'

/** Code of an answer that a careful client never gets. */
export const tooMany = 'mempool-429'
const html =
  '<html><head><title>429 Too Many Requests</title></head><body><center>nginx</center></body></html>'
const currencies = ['USD', 'EUR', 'GBP', 'CAD', 'CHF', 'AUD', 'JPY']
/** Rates of the currencies that the price source may not have: 1 USD = so many. */
const rates: Readonly<Record<string, string>> = { CAD: '1.39', CHF: '0.81', AUD: '1.55' }
const bitcoin = AssetId('bitcoin')
/** 2010-07-19, the first week of the history. */
const firstAt = 1_279_497_600

const unixOf = (at: EpochMicros): number => Math.floor(toEpochMs(at) / SECOND)

/** mempool.space's prices: whole units, one time for all currencies, a limit that nobody published. */
export class MempoolTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: MempoolLimits
  readonly #bucket: Bucket
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = limitsOf(own, options)
    this.#bucket = new Bucket(this.#limits)
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/mempool`
    const { meter, clock } = this.#options
    meter.openScope(scope, 'mempool', { minute: null, day: null, month: null })
    meter.addCall(scope, call.at)
    if (!this.#bucket.take(call.ip, clock.monotonicMs()))
      return { ...refused(scope, 429, html), code: tooMany }
    if (call.endpoint === '/api/v1/prices') return this.#prices(call, scope)
    if (call.endpoint === '/api/v1/historical-price') return this.#historical(call, scope)
    return refused(scope, 404, 'Not Found')
  }

  rateLimited(): Pick<Reply, 'status' | 'body' | 'code' | 'headers'> {
    return { status: 429, body: html, code: tooMany }
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status, body: toJson({ error: 'Failed to get historical prices' }), code: String(status) }
  }

  #prices(call: Call, scope: string): Reply {
    const at = micros(call.at - (call.at % (this.#limits.refreshMs * 1_000)))
    const found = currencies.map(currency => [currency, this.#price(currency, at)] as const)
    const members = found.map(([currency, price]) => [currency, raw(price ?? '-1')] as const)
    const values = found.flatMap(([currency, price]) =>
      price === undefined || !this.#limits.noted.includes(currency) ? [] : [servedValue(currency, price, at)],
    )
    return served(scope, { time: unixOf(at), ...Object.fromEntries(members) }, values)
  }

  /** Whole units: a recorded series has digits of its own, the rest is cut off. */
  #price(currency: string, at: EpochMicros): string | undefined {
    if (this.#limits.unknown.includes(currency)) return undefined
    const rate = rates[currency]
    const query = { asset: bitcoin, currency: rate ? 'USD' : currency, at, venue: 'mempool', decimals: 2 }
    const price = this.#options.prices.priceAt({ ...query, style: 'number' })
    return price === undefined
      ? undefined
      : formatShort(rescale(multiply(parseFixed(price), parseFixed(rate ?? '1')), 0))
  }

  #historical(call: Call, scope: string): Reply {
    const asked = Number.parseInt(call.query.get('timestamp') ?? '', 10)
    const currency = call.query.get('currency') ?? ''
    if (!Number.isFinite(asked))
      return refused(scope, 500, 'the sandbox has no whole history: name a timestamp')
    // A currency that the server does not have: HTTP 200 with null.
    if (!currencies.includes(currency)) return served(scope, null, [])
    const at = this.#storedAt(Math.min(asked, unixOf(call.at)))
    const priceIn = (code: string): string => (at === undefined ? '0' : (this.#price(code, at) ?? '-1'))
    const time = at === undefined ? firstAt : unixOf(at)
    const rows: Json = [{ time, [currency]: raw(priceIn(currency)), USD: raw(priceIn('USD')) }]
    const isKnown = at !== undefined && priceIn(currency) !== '-1'
    const values = isKnown ? [servedValue(currency, priceIn(currency), at)] : []
    return served(scope, { prices: rows, exchangeRates: this.#rates(call.at) }, values)
  }

  /** The newest stored time at or before: of each hour, longer ago of each week; undefined before the first. */
  #storedAt(unix: number): EpochMicros | undefined {
    if (unix < firstAt) return undefined
    const ms = unix * SECOND
    const now = toEpochMs(this.#options.clock.now())
    if (now - ms <= this.#limits.hourlyDays * DAY) return fromEpochMs(ms - (ms % HOUR))
    return fromEpochMs(firstAt * SECOND + Math.floor((ms - firstAt * SECOND) / (7 * DAY)) * 7 * DAY)
  }

  #rates(at: EpochMicros): Json {
    const usd = this.#price('USD', at) ?? '1'
    const others = currencies.filter(currency => currency !== 'USD')
    return Object.fromEntries(
      others.map(currency => {
        const price = this.#price(currency, at) ?? '0'
        return [`USD${currency}`, raw(formatShort(divide(parseFixed(price), parseFixed(usd), 2)))]
      }),
    )
  }
}

const servedValue = (currency: string, price: string, observedAt: EpochMicros): ServedValue => ({
  sourceId: 'BTC',
  currency,
  price,
  observedAt,
})

const served = (scope: string, json: Json, values: readonly ServedValue[]): Reply => ({
  status: 200,
  body: toJson(json),
  code: '0',
  credits: 0,
  scope,
  result: 'served',
  served: values,
})

const refused = (scope: string, status: number, body: string): Reply => ({
  status,
  body,
  headers: { 'content-type': body.startsWith('<') ? 'text/html' : 'text/plain; charset=utf-8' },
  code: String(status),
  credits: 0,
  scope,
  result: 'refused',
  served: [],
})
