import { DAY } from '../../../core/time.ts'
import type { DecimalString, EpochMicros } from '../../../core/brands.ts'
import { arrayOf, figureOf, priceOf, refusePayload, rowOf, unixTimeOf } from '../../check.ts'
import { type Json, JsonArray, JsonNumber, parseExact } from '../../json.ts'
import { asDayClose, mapHistory, type Point } from '../../mapping-history.ts'
import type { HttpRequest, Mapped, MappingContext, Page } from '../../provider.ts'

const microsPerSecond = 1_000_000

/** Daily points stand at 00:00 UTC and close the day before: those after `from` up to `to` are wanted. */
export function requestHistory({ assets, currency, range }: Page): HttpRequest {
  const query: Record<string, string> = { vs_currency: currency.toLowerCase() }
  if (range) {
    query['from'] = String(Math.floor(range.from / microsPerSecond) + 1)
    query['to'] = String(Math.ceil(range.to / microsPerSecond) + 1)
  }
  const path = `/coins/${encodeURIComponent(assets[0]?.sourceId ?? '')}/market_chart/range`
  return {
    path,
    query: { ...query, interval: 'daily', precision: 'full' },
    headers: { accept: 'application/json' },
  }
}

/**
 * `{prices: [[ms, price]], market_caps: [[ms, …]], total_volumes: [[ms, …]]}`; the lists are matched by their times, never by their
 * places. A point at midnight is the close of the day before; one at another time (today's newest, hourly ones) keeps its own.
 */
export function mapChart(body: Uint8Array, context: MappingContext): Mapped {
  const root = rowOf(parseExact(body), '$')
  const caps = byTime(root.get('market_caps'), 'unknown')
  const volumes = byTime(root.get('total_volumes'), 'counts')
  const reads = arrayOf(root.get('prices'), '$.prices').map((value, i) => () => {
    const path = `$.prices[${i}]`
    const point = readPoint(value, path, context.receivedAt)
    const at = timeText(value)
    return point && { ...point, marketCap: caps.get(at), volume24h: volumes.get(at) }
  })
  return mapHistory(reads, context, DAY)
}

function readPoint(value: Json, path: string, receivedAt: EpochMicros): Point | undefined {
  const pair = arrayOf(value, path)
  if (pair.length !== 2) return refusePayload(path, 'a time and a price', value)
  const [time, price] = pair
  const observedAt = asDayClose(unixTimeOf(time, `${path}[0]`, { receivedAt, unit: 'ms' }))
  return price === null ? undefined : { observedAt, price: priceOf(price, `${path}[1]`) }
}

/** Figures by the text of their times. What can not be read is unknown: a price is not thrown away for it. */
function byTime(list: Json | undefined, zero: 'counts' | 'unknown'): ReadonlyMap<string, DecimalString> {
  const found = new Map<string, DecimalString>()
  if (!(list instanceof JsonArray)) return found
  for (const value of list.items()) {
    const figure = value instanceof JsonArray ? figureOf(value.items()[1], zero) : undefined
    if (figure !== undefined) found.set(timeText(value), figure)
  }
  return found
}

function timeText(value: Json): string {
  const time = value instanceof JsonArray ? value.items()[0] : undefined
  return time instanceof JsonNumber ? time.text : ''
}
