import { DecimalString, type EpochMicros, isDecimalString } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import { addMs, fromEpochMs, MINUTE, parseIso, SECOND, toEpochMs } from '../core/time.ts'
import { type Json, JsonArray, JsonNumber, JsonObject } from './json.ts'

/** A provider's clock may run ahead of ours by this much; beyond it a time is an error. */
const maxAheadMs = 5 * MINUTE
/** No price is older than Bitcoin. */
const firstMs = Date.UTC(2009, 0, 1)
// C0, DEL, C1, line and paragraph separators, bidirectional overrides: nothing that can forge a line or a screen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: to take them out is the purpose
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** What an answer has instead of what was wanted, for a message; never more than a few characters of it. */
function show(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'boolean') return String(value)
  if (value instanceof JsonNumber) return `the number ${value.text.slice(0, 40)}`
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`
  return value instanceof JsonArray ? 'an array' : 'an object'
}

/** @throws CryptosError CRY_PROVIDER_PAYLOAD, always */
export function refusePayload(path: string, wanted: string, value: Json | undefined): never {
  throw new CryptosError('CRY_PROVIDER_PAYLOAD', `${path}: wanted ${wanted}, got ${show(value)}`)
}

/** @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function objectOf(value: Json | undefined, path: string): JsonObject {
  return value instanceof JsonObject ? value : refusePayload(path, 'an object', value)
}

/** An object without a name that stands in it twice: two rows that ran into each other have one's id and the other's price. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function rowOf(value: Json | undefined, path: string): JsonObject {
  const row = objectOf(value, path)
  return row.repeatsName() ? refusePayload(path, 'each name once', value) : row
}

/** @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function arrayOf(value: Json | undefined, path: string): readonly Json[] {
  return value instanceof JsonArray ? value.items() : refusePayload(path, 'an array', value)
}

/** Printable text of 1..maxLength characters; control characters are taken out. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function textOf(value: Json | undefined, path: string, maxLength = 64): string {
  if (typeof value !== 'string') return refusePayload(path, 'text', value)
  const clean = value.replace(unprintable, '').toWellFormed().trim()
  return clean.length > 0 && clean.length <= maxLength
    ? clean
    : refusePayload(path, `text of 1 to ${maxLength} characters`, value)
}

/** A decimal number, sent as a number or as text, with its digits. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function decimalOf(value: Json | undefined, path: string): DecimalString {
  const text = value instanceof JsonNumber ? value.text : value
  return typeof text === 'string' && isDecimalString(text)
    ? (text as DecimalString)
    : refusePayload(path, 'a decimal number', value)
}

/** True for `0`, `0.000`, `-0e5`: no digit but 0 before the exponent. */
export const isZero = (decimal: DecimalString): boolean => !/[1-9]/.test(decimal.split(/[eE]/, 1)[0] ?? '')

/** A decimal above zero: nothing is sold for nothing. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function priceOf(value: Json | undefined, path: string): DecimalString {
  const price = decimalOf(value, path)
  return price.startsWith('-') || isZero(price) ? refusePayload(path, 'a price above 0', value) : price
}

/**
 * A figure beside the price. What is absent, null, negative, or no number at all is unknown: a price is not thrown away for it.
 * `zero` says whether 0 is a figure (volume) or means unknown (market cap, supply).
 */
export function figureOf(value: Json | undefined, zero: 'counts' | 'unknown'): DecimalString | undefined {
  const text = value instanceof JsonNumber ? value.text : value
  if (typeof text !== 'string' || text.startsWith('-') || !isDecimalString(text)) return undefined
  const figure = DecimalString(text)
  return zero === 'unknown' && isZero(figure) ? undefined : figure
}

/** A change in per cent: may be negative; unknown where it is no number. */
export function changeOf(value: Json | undefined): DecimalString | undefined {
  const text = value instanceof JsonNumber ? value.text : value
  return typeof text === 'string' && isDecimalString(text) ? DecimalString(text) : undefined
}

/** Newest text and its time: the rows of one answer often share it. */
let newest: { readonly text: string; readonly time: EpochMicros } | undefined

/** ISO time with a zone, from 2009 to 5 minutes after `receivedAt`. @throws CryptosError CRY_PROVIDER_PAYLOAD with the path */
export function timeOf(value: Json | undefined, path: string, receivedAt: EpochMicros): EpochMicros {
  if (typeof value !== 'string') return refusePayload(path, 'an ISO time', value)
  const time = newest?.text === value ? newest.time : isoOf(value, path)
  newest = { text: value, time }
  return time <= addMs(receivedAt, maxAheadMs)
    ? time
    : refusePayload(path, 'a time that is not to come', value)
}

/**
 * Whole seconds or milliseconds since 1970, sent as a number or as digits, from 2009 to 5 minutes after `receivedAt`.
 * @throws CryptosError CRY_PROVIDER_PAYLOAD with the path
 */
export function unixTimeOf(
  value: Json | undefined,
  path: string,
  { receivedAt, unit }: { readonly receivedAt: EpochMicros; readonly unit: 'seconds' | 'ms' },
): EpochMicros {
  const ms = (wholeOf(value) ?? Number.NaN) * (unit === 'seconds' ? SECOND : 1)
  const isTime = ms >= firstMs && ms <= toEpochMs(receivedAt) + maxAheadMs
  return isTime ? fromEpochMs(ms) : refusePayload(path, `a time in ${unit} from 2009 to now`, value)
}

function isoOf(text: string, path: string): EpochMicros {
  try {
    return parseIso(text)
  } catch (error) {
    if (error instanceof CryptosError) return refusePayload(path, 'an ISO time from 2009 on', text)
    throw error
  }
}

/** A whole number of 0 or more, sent as a number or as digits. undefined for anything else. */
export function wholeOf(value: Json | undefined): number | undefined {
  const text = value instanceof JsonNumber ? value.text : value
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) return undefined
  return Number(text)
}
