import { CryptosError } from '../../../core/errors.ts'
import { DAY, fromEpochMs, toEpochMs } from '../../../core/time.ts'
import { arrayOf, figureOf, priceOf, refusePayload, unixTimeOf, wholeOf } from '../../check.ts'
import { type Json, JsonArray, parseExact } from '../../json.ts'
import { asDayClose, mapHistory, type Point } from '../../mapping-history.ts'
import type { HttpRequest, Mapped, MappingContext, Page } from '../../provider.ts'
import { currencyOf } from './assets.ts'

/** Most candles of one answer (rest-api.md, klines `limit`). */
export const mostCandles = 1_000
/** `[open time, open, high, low, close, volume, close time, quote volume, trades, taker base, taker quote, unused]`. */
const fields = 12
const [openAt, close, volume, closeAt] = [0, 4, 5, 6] as const

/** A candle is named by the day that it opens; its close is the last moment of that day. Both ends are inclusive. */
export function historyRequest({ assets, range }: Page): HttpRequest {
  const window: Record<string, string> = range
    ? {
        startTime: String(Math.floor(toEpochMs(range.from) / DAY) * DAY),
        endTime: String(Math.max(0, toEpochMs(range.to) - 1)),
      }
    : {}
  const symbol = assets[0]?.sourceId ?? ''
  return {
    path: '/api/v3/klines',
    query: { symbol, interval: '1d', ...window, limit: String(mostCandles) },
    headers: { accept: 'application/json' },
  }
}

/** Daily closes. The day that is not over yet has none. */
export function mapCandles(body: Uint8Array, context: MappingContext): Mapped {
  const candles = arrayOf(parseExact(body), '$')
  checkCurrency(context)
  const reads = candles.flatMap((candle, index) =>
    isUnderWay(candle, context) ? [] : [() => readCandle(candle, `$[${index}]`, context)],
  )
  return mapHistory(reads, context, DAY)
}

/** The body names neither pair nor currency: both are those of the page, which must agree. */
function checkCurrency({ page }: MappingContext): void {
  const ref = page.assets[0]
  if (ref && currencyOf(ref) !== page.currency)
    throw new CryptosError(
      'CRY_PROVIDER_PAYLOAD',
      `$: candles of ${ref.sourceId} are not in ${page.currency}`,
    )
}

function isUnderWay(candle: Json, { receivedAt }: MappingContext): boolean {
  if (!(candle instanceof JsonArray)) return false
  const items = candle.items()
  const [opens, closes] = [wholeOf(items[openAt]), wholeOf(items[closeAt])]
  const isDay = items.length === fields && opens !== undefined && closes === opens + DAY - 1
  return isDay && opens <= toEpochMs(receivedAt) && closes >= toEpochMs(receivedAt)
}

function readCandle(candle: Json, path: string, context: MappingContext): Point {
  const items = arrayOf(candle, path)
  // A place means something in the full row only.
  if (items.length !== fields) refusePayload(path, `a candle of ${fields} values`, candle)
  const time = { receivedAt: context.receivedAt, unit: 'ms' } as const
  const opens = toEpochMs(unixTimeOf(items[openAt], `${path}[${openAt}]`, time))
  if (opens % DAY !== 0) refusePayload(`${path}[${openAt}]`, 'the beginning of a day', items[openAt])
  if (wholeOf(items[closeAt]) !== opens + DAY - 1)
    refusePayload(`${path}[${closeAt}]`, 'the end of the same day', items[closeAt])
  return {
    price: priceOf(items[close], `${path}[${close}]`),
    volume24h: figureOf(items[volume], 'counts'),
    observedAt: asDayClose(fromEpochMs(opens + DAY)),
  }
}
