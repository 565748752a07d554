import { EpochMicros } from '../../../../core/brands.ts'
import { assets } from '../../../../core/assets.ts'
import { DAY, toEpochMs } from '../../../../core/time.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { Call, ServedValue } from '../../../../sandbox/types.ts'
import { barOf, barShape } from './day-bars.ts'
import { type Answer, servedAnswer } from './reply.ts'
import { type Instrument, type PriceAt, tickOf } from './tick-shape.ts'

const markets = ['cadli', 'ccix']
const mostDays = 2_000
const firstDay = Date.UTC(2010, 6, 17) / DAY
/** Values change ten times a second. */
const gridMicros = 100_000

/** The shape of errors; only that of a missing key was seen (`API key required`), the others are like it. */
export function errorAnswer(status: number, type: number, message: string): Answer {
  const Err = { type, message, http_status_code: status, frontend: {} }
  return { status, body: toJson({ Data: {}, Err }), code: `coindesk ${type}`, served: [] }
}

/** The index part of the Data API: latest ticks of many instruments, and past days of one. */
export class DataApi {
  readonly #prices: PriceSource
  constructor(prices: PriceSource) {
    this.#prices = prices
  }

  answer({ endpoint, query, at }: Call): Answer {
    const market = query.get('market') ?? ''
    const run =
      endpoint === '/index/cc/v1/latest/tick'
        ? () => this.#ticks(query, market, at)
        : endpoint === '/index/cc/v1/historical/days'
          ? () => this.#days(query, market, at)
          : undefined
    if (!run) return errorAnswer(404, 1, 'Path does not exist.')
    return markets.includes(market) ? run() : errorAnswer(400, 2, 'market parameter is missing or invalid.')
  }

  /** Unknown instruments are left out; where no other is left that is an error. Neither was seen: this is our guess. */
  #ticks(query: URLSearchParams, market: string, at: EpochMicros): Answer {
    const moment = EpochMicros(at - (at % gridMicros))
    const names = listOf(query.get('instruments'))
    if (names.length === 0) return errorAnswer(400, 2, 'instruments parameter is missing or invalid.')
    const groups = listOf(query.get('groups'))
    const data: Record<string, Json> = {}
    const served: ServedValue[] = []
    for (const name of names) {
      const found = this.#instrument(name, moment)
      if (!found || data[name] !== undefined) continue
      const { instrument, priceAt } = found
      data[name] = tickOf(instrument, market, { at: moment, priceAt, groups })
      const { base: sourceId, quote: currency } = instrument
      if (groups.length === 0 || groups.includes('VALUE'))
        served.push({ sourceId, currency, price: priceAt(moment), observedAt: moment })
    }
    return Object.keys(data).length === 0
      ? errorAnswer(404, 1, 'None of the instruments exists on this market.')
      : servedAnswer(toJson({ Data: data, Err: {} }), served)
  }

  /** `limit` days up to the one that holds `to_ts`, oldest first; the day that is not over yet is among them. */
  #days(query: URLSearchParams, market: string, at: EpochMicros): Answer {
    const limit = Number(query.get('limit') ?? '30')
    if (!Number.isInteger(limit) || limit < 1 || limit > mostDays)
      return errorAnswer(400, 2, `limit parameter is out of range: 1 to ${mostDays}.`)
    const toSeconds = Number(query.get('to_ts') ?? Math.floor(at / 1e6))
    if (!Number.isInteger(toSeconds) || toSeconds < 0)
      return errorAnswer(400, 2, 'to_ts parameter is not a time.')
    const found = this.#instrument(query.get('instrument') ?? '', at)
    if (!found) return errorAnswer(404, 1, 'The instrument does not exist on this market.')
    const last = Math.floor(Math.min(toSeconds * 1_000, toEpochMs(at)) / DAY)
    const first = Math.max(firstDay, last - limit + 1)
    const days = Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => first + step)
    const bars = days.map(day => barOf(day, at, found.priceAt))
    const groups = listOf(query.get('groups'))
    const { base: sourceId, quote: currency } = found.instrument
    const served = bars.map(({ close: price, closedAt }) => {
      return { sourceId, currency, price, observedAt: closedAt }
    })
    const rows = bars.map(bar => barShape(bar, { market, instrument: found.instrument, groups }))
    return servedAnswer(toJson({ Data: rows, Err: {} }), served)
  }

  /** With 10 fraction digits a price of bitcoin has the 15 digits of real values. */
  #instrument(
    name: string,
    at: EpochMicros,
  ): { readonly instrument: Instrument; readonly priceAt: PriceAt } | undefined {
    const [base = '', quote = '', more] = name.split('-')
    const asset = assets.find(a => a.symbol === base)?.id
    if (asset === undefined || quote === '' || more !== undefined) return undefined
    const priceOf = (moment: EpochMicros): string | undefined =>
      this.#prices.priceAt({
        ...{ asset, currency: quote, at: moment, venue: 'coindesk-data', decimals: 10, style: 'number' },
      })
    const now = priceOf(at)
    if (now === undefined) return undefined
    return { instrument: { name, base, quote }, priceAt: moment => priceOf(moment) ?? now }
  }
}

const listOf = (text: string | null): readonly string[] =>
  (text ?? '')
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
