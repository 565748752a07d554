import { EpochMicros } from '../../../../core/brands.ts'
import { DAY, fromEpochMs, SECOND, toEpochMs } from '../../../../core/time.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import {
  broken,
  firewalled,
  invalid,
  limited,
  notFound,
  type Said,
  served,
  tooMany,
  wrong,
} from './answers.ts'
import { type BitstampLimits, Gate, publicLimits } from './limits.ts'
import { candleOf, type Market, marketRow, markets, pairName, priceOf, tickerOf } from './markets.ts'

const steps: readonly number[] = [
  60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 259_200,
]
/** The day of the first candle; all of the twin's markets are as old. */
const listedAtMs = Date.UTC(2011, 7, 18)

/** Bitstamp's market data: tickers, candles, markets; limits by address; errors in each of the forms that were seen. */
export class BitstampTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: BitstampLimits
  readonly #gate: Gate
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = limitsOf(publicLimits, options)
    this.#gate = new Gate(this.#limits)
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/bitstamp`
    const { meter } = this.#options
    meter.openScope(scope, 'bitstamp', { minute: null, day: null, month: null })
    meter.addCall(scope, call.at)
    return { ...this.#say(call), credits: 0, scope }
  }

  rateLimited(call: Call): Pick<Reply, 'status' | 'body' | 'code'> {
    const { status, body } = limited('json-429', { ip: call.ip, waitMs: this.#limits.blockMs })
    return { status, body, code: tooMany }
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return broken(status)
  }

  #say(call: Call): Said {
    if (this.#limits.isFirewalled) return firewalled()
    const waitMs = this.#gate.waitOf(call.ip, toEpochMs(call.at))
    if (waitMs > 0) return limited(this.#limits.refusal, { ip: call.ip, waitMs })
    const [, name = '', symbol] = /^\/api\/v2\/([a-z_]+)\/(?:([a-z0-9-]+)\/)?$/.exec(call.endpoint) ?? []
    if (name === 'markets' && symbol === undefined) return served([...markets.values()].map(marketRow), [])
    if (name === 'ticker') return this.#ticker(call, symbol)
    const market = markets.get(symbol ?? '')
    return name === 'ohlc' && market ? this.#candles(call, market) : notFound()
  }

  /** With any parameter it is rejected. Without a market all of them come, each by its name. */
  #ticker(call: Call, symbol: string | undefined): Said {
    if (call.query.size > 0) return wrong(400, '400.018', 'GET parameters not allowed for this request.')
    const { prices } = this.#options
    const at = EpochMicros(call.at - (call.at % (SECOND * 1_000)))
    if (symbol === undefined) {
      const rows = [...markets.values()].map(m => ({
        ...(tickerOf(prices, m, at) as object),
        pair: pairName(m),
      }))
      return served(rows, [])
    }
    const market = markets.get(symbol)
    if (!market) return notFound()
    const price = priceOf(prices, market, at)
    const value = { sourceId: market.base, currency: market.counter, observedAt: at }
    return served(tickerOf(prices, market, at), price === undefined ? [] : [{ ...value, price }])
  }

  /** The newest `limit` candles that open up to `end`; `start` counts only where there is no `end`. */
  #candles({ query, at }: Call, market: Market): Said {
    const [step, limit] = [Number(query.get('step')), Number(query.get('limit'))]
    if (!steps.includes(step))
      return invalid(
        'step',
        `Select a valid choice. ${query.get('step')} is not one of the available choices.`,
        'invalid_choice',
      )
    if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= 1_000))
      return invalid('limit', 'Ensure this value is between 1 and 1000.', 'invalid_range')
    const rows = this.#openings(query, { step, limit, nowMs: toEpochMs(at) }).map(opensMs =>
      this.#candle(market, { opensMs, widthMs: step * SECOND, nowMs: toEpochMs(at) }),
    )
    const ohlc = rows.map(r => r.row)
    return served(
      { data: { pair: pairName(market), ohlc } },
      rows.flatMap(r => r.value ?? []),
    )
  }

  #openings(
    query: URLSearchParams,
    { step, limit, nowMs }: { step: number; limit: number; nowMs: number },
  ): number[] {
    const widthMs = step * SECOND
    const [start, end] = [query.get('start'), query.get('end')].map(text =>
      text ? Number(text) * SECOND : undefined,
    )
    const isOpenLeftOut = query.get('exclude_current_candle') === 'true'
    const newest = Math.floor(nowMs / widthMs) - (isOpenLeftOut ? 1 : 0)
    const oldest = Math.ceil(listedAtMs / widthMs)
    const last = Math.min(newest, end === undefined ? newest : Math.floor(end / widthMs))
    const from = end === undefined && start !== undefined ? Math.ceil(start / widthMs) : last - limit + 1
    const first = Math.max(oldest, from)
    const count = Math.max(0, Math.min(limit, last - first + 1))
    return Array.from({ length: count }, (_, n) => (first + n) * widthMs)
  }

  /** The close of a candle that is over, as the meter notes it: at the last moment of the candle. */
  #candle(market: Market, { opensMs, widthMs, nowMs }: { opensMs: number; widthMs: number; nowMs: number }) {
    const endMs = opensMs + widthMs
    const isOver = endMs <= nowMs
    const { row, close } = candleOf(this.#options.prices, market, {
      opensMs,
      closesMs: isOver ? endMs : nowMs,
    })
    const observedAt = EpochMicros(fromEpochMs(endMs) - 1)
    const value: ServedValue = { sourceId: market.base, currency: market.counter, price: close, observedAt }
    return { row, value: isOver && widthMs === DAY ? value : undefined }
  }
}
