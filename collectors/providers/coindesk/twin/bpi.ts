import { AssetId, EpochMicros } from '../../../../core/brands.ts'
import { DAY, fromEpochMs, MINUTE, toEpochMs } from '../../../../core/time.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import { raw, toJson } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'
import type { Call } from '../../../../sandbox/types.ts'
import {
  type BpiCurrency,
  bpiCurrencies,
  closeDisclaimer,
  codeDisclaimer,
  plainDisclaimer,
  rateText,
  supportedCurrencies,
  timesOf,
  ukTimeOf,
} from './bpi-text.ts'
import type { End } from './limits.ts'
import { type Answer, servedAnswer, textAnswer } from './reply.ts'

const bitcoin = AssetId('bitcoin')
const firstDay = Date.UTC(2010, 6, 17) / DAY
const notFound = 'Sorry, that currency was not found'
const noResults = 'No results returned from database'

/** The Bitcoin Price Index as it was until 2025, with the end that it had. New prices on each UTC minute; bitcoin only; no key. */
export class Bpi {
  readonly #prices: PriceSource
  readonly #end: End
  constructor(prices: PriceSource, end: End) {
    this.#prices = prices
    this.#end = end
  }

  answer({ endpoint, query, at }: Call): Answer {
    if (isFrom(this.#end.goneFrom, at)) return textAnswer(503, 'Service Unavailable')
    if (endpoint === '/v1/bpi/currentprice.json') return this.#current(at)
    if (endpoint === '/v1/bpi/supported-currencies.json') return servedAnswer(toJson(supportedCurrencies), [])
    if (endpoint === '/v1/bpi/historical/close.json') return this.#history(query, at)
    const code = /^\/v1\/bpi\/currentprice\/([^/]+)\.json$/.exec(endpoint)?.[1]
    return code === undefined ? textAnswer(404, 'Not Found') : this.#byCode(code, at)
  }

  /** USD, GBP and EUR. Only the price in USD is told to the meter: one call is for one currency, and a path that names none is for USD. */
  #current(at: EpochMicros): Answer {
    const minute = periodStart('minute', at)
    const bpi: Record<string, Json> = {}
    for (const { code, symbol, description } of bpiCurrencies.slice(0, 3)) {
      const price = this.#price(code, minute, at)
      if (price === undefined) continue
      const rate = rateText(price, at)
      bpi[code] = { code, symbol, rate, description, rate_float: raw(price) }
    }
    const price = this.#price('USD', minute, at)
    if (price === undefined) return textAnswer(500, noResults)
    const time = { ...timesOf(minute), updateduk: ukTimeOf(minute) }
    return servedAnswer(toJson({ time, disclaimer: plainDisclaimer, chartName: 'Bitcoin', bpi }), [
      { sourceId: 'BTC', currency: 'USD', price, observedAt: minute },
    ])
  }

  /** USD and one more currency, in any letter case; no symbol and no name of a chart. */
  #byCode(asked: string, at: EpochMicros): Answer {
    const minute = periodStart('minute', at)
    const currency = currencyOf(asked)
    const own = currency && this.#price(currency.code, minute, at)
    if (currency === undefined || own === undefined) return textAnswer(404, notFound)
    const bpi: Record<string, Json> = {}
    for (const { code, description } of bpiCurrencies.filter(c => c.code === 'USD' || c === currency)) {
      const price = this.#price(code, minute, at)
      if (price === undefined) continue
      const rate = price === '1' ? '1.0000' : rateText(price, at)
      bpi[code] = { code, rate, description, rate_float: raw(price) }
    }
    const time = { ...timesOf(minute), updateduk: ukTimeOf(minute) }
    return servedAnswer(toJson({ time, disclaimer: codeDisclaimer, bpi }), [
      { sourceId: 'BTC', currency: currency.code, price: own, observedAt: minute },
    ])
  }

  /** Closes of the days from `start` to `end`, both included, up to yesterday; the last 31 days where they are not given. */
  #history(query: URLSearchParams, at: EpochMicros): Answer {
    const currency = currencyOf(query.get('currency') ?? 'USD')
    if (!currency || this.#price(currency.code, at, at) === undefined) return textAnswer(404, notFound)
    const yesterday = Math.floor(toEpochMs(at) / DAY) - 1
    const [start, end] = spanOf(query, yesterday)
    if (!Number.isInteger(start) || !Number.isInteger(end)) return textAnswer(500, noResults)
    if (end < start) return textAnswer(404, 'Sorry, your specified end date is before your start date.')
    if (start < firstDay)
      return textAnswer(404, 'Sorry, the CoinDesk BPI only covers data from 2010-07-17 onwards.')
    const closes = this.#closes(currency.code, [start, Math.min(end, yesterday)], at)
    if (closes.length === 0) return textAnswer(500, noResults)
    const bpi = Object.fromEntries(closes.map(({ day, price }) => [dayText(day), raw(price)]))
    const midnight = (yesterday + 1) * DAY
    const updated = timesOf(fromEpochMs(Math.min(toEpochMs(at), midnight + 3 * MINUTE)))
    const served = closes.map(({ day, price }) => ({
      ...{ sourceId: 'BTC', currency: currency.code, price, observedAt: closeAt(day) },
    }))
    return servedAnswer(toJson({ bpi, disclaimer: closeDisclaimer(currency.code), time: updated }), served)
  }

  #closes(
    currency: string,
    [start, end]: readonly [number, number],
    at: EpochMicros,
  ): { readonly day: number; readonly price: string }[] {
    return Array.from({ length: Math.max(0, end - start + 1) }, (_, step) => start + step).flatMap(day => {
      const price = this.#price(currency, closeAt(day), at)
      return price === undefined ? [] : [{ day, price }]
    })
  }

  /** Price of a moment, as it is told in a call at `calledAt`. */
  #price(currency: string, at: EpochMicros, calledAt: EpochMicros): string | undefined {
    const { mislabelFrom, freezeFrom } = this.#end
    const told = isFrom(mislabelFrom, calledAt) ? 'USD' : currency
    if (told === 'BTC') return '1'
    const moment = EpochMicros(freezeFrom === null ? at : Math.min(at, periodStart('minute', freezeFrom)))
    return this.#prices.priceAt({
      ...{ asset: bitcoin, currency: told, at: moment, venue: 'coindesk', decimals: 4, style: 'number' },
    })
  }
}

const isFrom = (from: EpochMicros | null, at: EpochMicros): boolean => from !== null && at >= from

const currencyOf = (text: string): BpiCurrency | undefined =>
  bpiCurrencies.find(({ code }) => code === text.toUpperCase())

const closeAt = (day: number): EpochMicros => EpochMicros((day + 1) * DAY * 1_000 - 1)
const dayText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

function spanOf(query: URLSearchParams, yesterday: number): readonly [number, number] {
  if (query.get('for') === 'yesterday') return [yesterday, yesterday]
  const [start, end] = [query.get('start'), query.get('end')]
  if (start === null || end === null) return [yesterday - 30, yesterday]
  return [Date.parse(`${start}T00:00:00Z`) / DAY, Date.parse(`${end}T00:00:00Z`) / DAY]
}
