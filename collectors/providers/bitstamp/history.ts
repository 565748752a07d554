import { DAY, fromEpochMs, SECOND, toEpochMs } from '../../../core/time.ts'
import {
  arrayOf,
  figureOf,
  objectOf,
  priceOf,
  refusePayload,
  rowOf,
  unixTimeOf,
  wholeOf,
} from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { asDayClose, mapHistory, type Point } from '../../mapping-history.ts'
import type { HttpRequest, Mapped, MappingContext, Page, TimeRange } from '../../provider.ts'
import { marketOf, pairOf } from './assets.ts'

/** Most candles of one answer. */
export const mostCandles = 1_000

/** Bitstamp ignores `start` where there is an `end`: the newest `limit` candles up to `end` come. So those two say it all. */
export function historyRequest({ assets, currency, range }: Page): HttpRequest {
  const [ref] = assets
  return {
    path: `/api/v2/ohlc/${encodeURIComponent(ref ? marketOf(ref, currency) : '')}/`,
    query: {
      step: String(DAY / SECOND),
      ...(range ? windowOf(range) : { limit: String(mostCandles) }),
      exclude_current_candle: 'true',
    },
    headers: { accept: 'application/json' },
  }
}

/** The days whose close lies in the range; `end` is the last second of the last of them. */
function windowOf({ from, to }: TimeRange): Record<string, string> {
  const first = Math.floor(toEpochMs(from) / DAY)
  const afterLast = Math.max(first + 1, Math.floor(toEpochMs(to) / DAY))
  const limit = Math.min(mostCandles, afterLast - first)
  return { limit: String(limit), end: String((afterLast * DAY) / SECOND - 1) }
}

/** Daily closes: `{"data":{"pair":"BTC/USD","ohlc":[{timestamp,open,high,low,close,volume}]}}`. The day that is not over has none. */
export function mapCandles(body: Uint8Array, context: MappingContext): Mapped {
  const data = rowOf(rowOf(parseExact(body), '$').get('data'), '$.data')
  const [ref] = context.page.assets
  const pair = data.get('pair')
  if (ref && pair !== pairOf(ref, context.page.currency))
    refusePayload('$.data.pair', pairOf(ref, context.page.currency), pair)
  const reads = arrayOf(data.get('ohlc'), '$.data.ohlc').flatMap((candle, index) =>
    isUnderWay(candle, context) ? [] : [() => readCandle(candle, `$.data.ohlc[${index}]`, context)],
  )
  return mapHistory(reads, context, DAY)
}

function isUnderWay(candle: Json, { receivedAt }: MappingContext): boolean {
  const opens = candle instanceof JsonObject ? wholeOf(candle.get('timestamp')) : undefined
  if (opens === undefined || (opens * SECOND) % DAY !== 0) return false
  const now = toEpochMs(receivedAt)
  return opens * SECOND <= now && now < opens * SECOND + DAY
}

/** `timestamp` is the beginning of the day that the candle is of. */
function readCandle(value: Json, path: string, { receivedAt }: MappingContext): Point {
  const candle = rowOf(objectOf(value, path), path)
  const opens = unixTimeOf(candle.get('timestamp'), `${path}.timestamp`, { receivedAt, unit: 'seconds' })
  const opensMs = toEpochMs(opens)
  if (opensMs % DAY !== 0)
    refusePayload(`${path}.timestamp`, 'the beginning of a day', candle.get('timestamp'))
  return {
    price: priceOf(candle.get('close'), `${path}.close`),
    volume24h: figureOf(candle.get('volume'), 'counts'),
    observedAt: asDayClose(fromEpochMs(opensMs + DAY)),
  }
}
