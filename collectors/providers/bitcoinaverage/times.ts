import type { EpochMicros } from '../../../core/brands.ts'
import { refusePayload, timeOf, unixTimeOf } from '../../check.ts'
import { type Json, JsonNumber, type JsonObject } from '../../json.ts'

const displayPattern = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/
/** RFC 822 as the first API wrote it: `Sun, 05 Jan 2014 10:00:00 -0000`. */
const rfc822Pattern =
  /^[A-Z][a-z]{2}, (\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}) (?:-0000|\+0000|GMT|UTC)$/

/** `2018-06-03 17:00:00`, UTC though it names no zone. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function displayTime(value: Json | undefined, path: string, receivedAt: EpochMicros): EpochMicros {
  if (typeof value !== 'string' || !displayPattern.test(value))
    return refusePayload(path, 'a time like 2018-06-03 17:00:00', value)
  return timeOf(`${value.replace(' ', 'T')}Z`, path, receivedAt)
}

/** Seconds since 1970, or a text of either form. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
function anyTime(value: Json | undefined, path: string, receivedAt: EpochMicros): EpochMicros {
  if (value instanceof JsonNumber || typeof value !== 'string' || /^\d+$/.test(value))
    return unixTimeOf(value, path, { receivedAt, unit: 'seconds' })
  const rfc822 = rfc822Pattern.exec(value)
  if (!rfc822) return displayTime(value, path, receivedAt)
  const ms = Date.parse(`${rfc822[1]} GMT`)
  return Number.isFinite(ms)
    ? timeOf(new Date(ms).toISOString(), path, receivedAt)
    : refusePayload(path, 'a time', value)
}

export interface TimePlace {
  readonly path: string
  /** `timestamp` beside the pairs. */
  readonly shared: Json | undefined
  readonly receivedAt: EpochMicros
}

/**
 * The time of a ticker: its own `timestamp`, else its `display_timestamp`, else the one that all pairs share. A row whose two clocks
 * disagree has no time. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path
 */
export function tickerTime(ticker: JsonObject, { path, shared, receivedAt }: TimePlace): EpochMicros {
  const own = ticker.get('timestamp')
  const display = ticker.get('display_timestamp')
  if (display === undefined)
    return own === undefined
      ? anyTime(shared, '$.timestamp', receivedAt)
      : anyTime(own, `${path}.timestamp`, receivedAt)
  const shown = displayTime(display, `${path}.display_timestamp`, receivedAt)
  if (own !== undefined && anyTime(own, `${path}.timestamp`, receivedAt) !== shown)
    return refusePayload(`${path}.display_timestamp`, 'the time of timestamp', display)
  return shown
}
