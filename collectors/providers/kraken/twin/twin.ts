import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, HOUR, SECOND } from '../../../../core/time.ts'
import { Bucket, type BucketLimits } from '../../../../sandbox/bucket.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import { formatFixed, multiply, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { findKrakenPair, krakenPairs } from './pairs.ts'
import type { KrakenPair } from './pairs.ts'

export const tooMany = 'EGeneral:Too many requests'
/** The documented counter of the Starter tier. Limits that a test may change. */
const starter: BucketLimits = { burst: 15, perSecond: 0.33 }
/** Answers are cached for 2 seconds. */
const gridMicros = 2 * SECOND * 1_000

const errorsBody = (error: string): string => toJson({ error: [error] })

/** Kraken's public Ticker and list of pairs. Errors come with HTTP 200; one unknown pair fails the whole list; no time in the body. */
export class KrakenTwin implements Twin {
  readonly #options: TwinOptions
  readonly #bucket: Bucket
  constructor(options: TwinOptions) {
    this.#options = options
    this.#bucket = new Bucket(limitsOf(starter, options))
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/kraken`
    const { meter, clock } = this.#options
    meter.openScope(scope, 'kraken', { minute: null, day: null, month: null })
    meter.addCall(scope, call.at)
    if (!this.#bucket.take(call.ip, clock.monotonicMs())) return refused(scope, tooMany)
    if (call.endpoint === '/0/public/AssetPairs') return assetPairs(call, scope)
    if (call.endpoint !== '/0/public/Ticker') return refused(scope, 'EGeneral:Unknown method')
    return this.#ticker(call, scope)
  }

  rateLimited(): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status: 200, body: errorsBody(tooMany), code: tooMany }
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    const error = 'EService:Unavailable'
    return { status, body: errorsBody(error), code: error }
  }

  #ticker(call: Call, scope: string): Reply {
    const asked = call.query.get('pair')
    const names = asked === null ? krakenPairs.map(p => p.name) : asked.split(',').map(name => name.trim())
    const result: Record<string, Json> = {}
    const served: ServedValue[] = []
    for (const name of names) {
      const pair = findKrakenPair(name)
      const price = pair && this.#price(pair, call.at)
      if (!pair || price === undefined) return refused(scope, 'EQuery:Unknown asset pair')
      if (result[pair.name] === undefined)
        served.push({ sourceId: pair.name, currency: pair.currency, price, observedAt: null })
      result[pair.name] = this.#shape(pair, price, call.at)
    }
    const body = toJson({ error: [], result })
    return { status: 200, body, code: '0', credits: 0, scope, result: 'served', served }
  }

  #price(pair: KrakenPair, at: EpochMicros): string | undefined {
    const { asset, currency, decimals } = pair
    const grid = micros(at - (at % gridMicros))
    return this.#options.prices.priceAt({
      asset,
      currency,
      at: grid,
      venue: 'kraken',
      decimals,
      style: 'fixed',
    })
  }

  #shape(pair: KrakenPair, last: string, at: EpochMicros): Json {
    const day = periodStart('day', at)
    const open = this.#price(pair, day) ?? last
    const pick = (hours: number): string => this.#price(pair, addMs(at, -hours * HOUR)) ?? last
    const recent = [last, open, pick(6), pick(12), pick(18), this.#price(pair, addMs(at, -DAY)) ?? last]
    const sorted = [...recent].sort((a, b) => Number(a) - Number(b))
    // No other number of the body may have the digits of the price: faults find it by them.
    const [low, high] = [scaled(sorted[0] ?? last, '0.9998'), scaled(sorted.at(-1) ?? last, '1.0002')]
    const hash = hashText(`${pair.name}/${day}`)
    const lot = `0.${String(hashText(`${pair.name}/${at}`) % 100_000_000).padStart(8, '0')}`
    return {
      a: [scaled(last, '1.0001'), '1', '1.000'],
      b: [scaled(last, '0.9999'), '2', '2.000'],
      c: [last, lot],
      v: [
        `${hash % 1_000}.${String(hash % 100_000_000).padStart(8, '0')}`,
        `${(hash % 1_000) + 2_000}.50000000`,
      ],
      p: [scaled(open, '1.0002'), scaled(open, '0.9997')],
      t: [hash % 9_000, 9_000 + (hash % 9_000)],
      l: [low, low],
      h: [high, high],
      o: scaled(open, '0.9999'),
    }
  }
}

/** All pairs, or those of `pair`: names, parts and digits; the lists of fees are left empty. */
function assetPairs(call: Call, scope: string): Reply {
  const asked = call.query.get('pair')?.split(',')
  const pairs = asked ? asked.flatMap(name => findKrakenPair(name) ?? []) : krakenPairs
  if (asked && pairs.length < asked.length) return refused(scope, 'EQuery:Unknown asset pair')
  const result = Object.fromEntries(pairs.map(pair => [pair.name, pairRow(pair)]))
  const body = toJson({ error: [], result })
  return { status: 200, body, code: '0', credits: 0, scope, result: 'served', served: [] }
}

function pairRow({ name, altname, currency, decimals }: KrakenPair): Json {
  const quote = /^X.{3}Z/.test(name) ? `Z${currency}` : currency
  const base = name.slice(0, -quote.length)
  // Kraken's own ticker: DOGEUSD is only another name for XDGUSD.
  const visible = name === 'XDGUSD' ? 'XDG' : altname.slice(0, -currency.length)
  return {
    ...{ altname: name === 'XDGUSD' ? name : altname, wsname: `${visible}/${currency}` },
    ...{ aclass_base: 'currency', base, aclass_quote: 'currency', quote, lot: 'unit' },
    ...{ pair_decimals: decimals, cost_decimals: 5, lot_decimals: 8, lot_multiplier: 1 },
    ...{ leverage_buy: [], leverage_sell: [], fees: [], fees_maker: [], fee_volume_currency: 'ZUSD' },
    ...{ margin_call: 80, margin_stop: 40, ordermin: '0.0001', costmin: '0.5', status: 'online' },
  }
}

/** price x factor with the price's own number of fraction digits. */
function scaled(price: string, factor: string): string {
  const value = parseFixed(price)
  return formatFixed(rescale(multiply(value, parseFixed(factor)), value.scale))
}

const refused = (scope: string, error: string): Reply => ({
  status: 200,
  body: errorsBody(error),
  code: error,
  credits: 0,
  scope,
  result: 'refused',
  served: [],
})
