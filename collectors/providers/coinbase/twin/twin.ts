import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { Bucket, type BucketLimits } from '../../../../sandbox/bucket.ts'
import { toIsoMicros } from '../../../../sandbox/calendar.ts'
import { formatFixed, parseFixed } from '../../../../sandbox/decimal.ts'
import { hashPair, hashText } from '../../../../sandbox/hash.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { coinbaseProducts } from './products.ts'
import type { CoinbaseProduct } from './products.ts'

/** The documented public limit by address. Limits that a test may change. */
const publicLimits: BucketLimits = { burst: 15, perSecond: 10 }
export const tooMany = 'coinbase-429'
/** One trade somewhere in each of these steps. */
const tradeEveryMicros = 1_500_000
const firstTradeId = 400_000_000

const tickerPath = /^\/products\/([^/]+)\/ticker$/
const messageBody = (message: string): string => toJson({ message })

interface Trade {
  readonly id: number
  readonly at: EpochMicros
}

/** The last trade at or before `now`: its number and moment follow from the time alone. */
function lastTrade(product: CoinbaseProduct, now: EpochMicros): Trade {
  const key = hashText(product.id)
  const tradeOf = (step: number): Trade => ({
    id: firstTradeId + step - Math.floor(1_700_000_000_000_000 / tradeEveryMicros),
    at: micros(step * tradeEveryMicros + (hashPair(key, step % 4_294_967_296) % tradeEveryMicros)),
  })
  const step = Math.floor(now / tradeEveryMicros)
  const newest = tradeOf(step)
  return newest.at <= now ? newest : tradeOf(step - 1)
}

/** Coinbase Exchange's public product ticker and list of products: strings, the trade's own time in microseconds, 10 calls a second and address. */
export class CoinbaseTwin implements Twin {
  readonly #options: TwinOptions
  readonly #bucket: Bucket
  constructor(options: TwinOptions) {
    this.#options = options
    this.#bucket = new Bucket(limitsOf(publicLimits, options))
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/coinbase`
    const { meter, clock } = this.#options
    meter.openScope(scope, 'coinbase', { minute: null, day: null, month: null })
    meter.addCall(scope, call.at)
    if (!this.#bucket.take(call.ip, clock.monotonicMs()))
      return { ...this.rateLimited(), credits: 0, scope, result: 'refused', served: [] }
    if (call.endpoint === '/products') return productList(scope)
    const product = coinbaseProducts.get(tickerPath.exec(call.endpoint)?.[1] ?? '')
    const ticker = product && this.#ticker(product, call.at)
    if (!ticker)
      return {
        status: 404,
        body: messageBody('NotFound'),
        code: 'NotFound',
        credits: 0,
        scope,
        result: 'refused',
        served: [],
      }
    return {
      status: 200,
      body: ticker.body,
      code: '0',
      credits: 0,
      scope,
      result: 'served',
      served: [ticker.value],
    }
  }

  rateLimited(): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status: 429, body: messageBody('Public rate limit exceeded'), code: tooMany }
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return { status, body: messageBody('Internal server error'), code: String(status) }
  }

  #ticker(product: CoinbaseProduct, now: EpochMicros): { body: string; value: ServedValue } | undefined {
    const { id, asset, currency, decimals } = product
    const trade = lastTrade(product, now)
    const query = { asset, currency, at: trade.at, venue: 'coinbase', decimals }
    const price = this.#options.prices.priceAt({ ...query, style: 'fixed' })
    if (price === undefined) return undefined
    const hash = hashText(`${id}/${trade.id}`)
    const body = toJson({
      trade_id: trade.id,
      price,
      size: `0.${String(hash % 100_000_000).padStart(8, '0')}`,
      bid: moved(price, -1n),
      ask: moved(price, 1n),
      volume: `${2_000 + (hash % 9_000)}.${String(hash % 100_000_000).padStart(8, '0')}`,
      time: toIsoMicros(trade.at),
      rfq_volume: `${hash % 100}.${String(hash % 1_000_000).padStart(6, '0')}`,
    })
    return { body, value: { sourceId: id, currency, price, observedAt: trade.at } }
  }
}

function productList(scope: string): Reply {
  const body = toJson([...coinbaseProducts.values()].map(productRow))
  return { status: 200, body, code: '0', credits: 0, scope, result: 'served', served: [] }
}

function productRow({ id, currency, decimals }: CoinbaseProduct): Json {
  const base = id.slice(0, -currency.length - 1)
  return {
    ...{
      id,
      base_currency: base,
      quote_currency: currency,
      quote_increment: `0.${'1'.padStart(decimals, '0')}`,
    },
    ...{ base_increment: '0.00000001', display_name: `${base}/${currency}`, min_market_funds: '1' },
    ...{ margin_enabled: false, post_only: false, limit_only: false, cancel_only: false, status: 'online' },
    ...{ status_message: '', trading_disabled: false, fx_stablecoin: false },
    ...{ max_slippage_percentage: '0.02000000', auction_mode: false, high_bid_limit_percentage: '' },
  }
}

/** One tick up or down. */
function moved(price: string, ticks: bigint): string {
  const { units, scale } = parseFixed(price)
  return formatFixed({ units: units + ticks < 0n ? 0n : units + ticks, scale })
}
