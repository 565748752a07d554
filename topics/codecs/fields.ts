import { isDecimalString } from '../../core/brands.ts'
import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError, toCryptosError } from '../../core/errors.ts'

/** A parsed JSON object. Only known keys are ever read from it, so `__proto__` in it is a key like any unknown one. */
export type Fields = Readonly<Record<string, unknown>>

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8 = new TextEncoder()

export const encodeJson = (value: object): Uint8Array => utf8.encode(JSON.stringify(value))

/** @throws CryptosError CRY_RECORD_INVALID */
export function refuse(path: string, what: string): never {
  throw new CryptosError('CRY_RECORD_INVALID', `${path}: ${what}`)
}

const noJson = '$: not JSON in valid UTF-8'

/** The text of at most `maxBytes` of valid UTF-8. @throws CryptosError CRY_RECORD_INVALID */
export function strictText(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) refuse('$', `${bytes.length} bytes, at most ${maxBytes} are read`)
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    throw new CryptosError('CRY_RECORD_INVALID', noJson, { cause: toCryptosError(error) })
  }
}

/** One JSON object. @throws CryptosError CRY_RECORD_INVALID */
export function parseJsonObject(json: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new CryptosError('CRY_RECORD_INVALID', noJson, { cause: toCryptosError(error) })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('$', 'not an object')
  return value as Fields
}

/** One JSON object of at most `maxBytes` of valid UTF-8. */
export const parseObject = (bytes: Uint8Array, maxBytes: number): Fields =>
  parseJsonObject(strictText(bytes, maxBytes))

/** Own properties only: a field that is missing must not be found on a prototype. */
const own = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined)

// C0, DEL, C1, line and paragraph separators, bidirectional overrides: nothing that can forge a line or a screen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: to refuse them is the purpose
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** Printable, well-formed text of 1..max UTF-16 units. */
export function text(fields: Fields, key: string, max: number): string {
  const value = own(fields, key)
  if (typeof value !== 'string') return refuse(`$.${key}`, 'not text')
  if (value.length === 0 || value.length > max) refuse(`$.${key}`, `not 1 to ${max} characters`)
  if (unprintable.test(value)) refuse(`$.${key}`, 'has control characters')
  return value.isWellFormed() ? value : refuse(`$.${key}`, 'has half a surrogate pair')
}

/** Text of at most max units, any character; may be empty. */
export function anyText(fields: Fields, key: string, max: number): string {
  const value = own(fields, key)
  if (typeof value !== 'string') return refuse(`$.${key}`, 'not text')
  return value.length <= max ? value : refuse(`$.${key}`, `more than ${max} characters`)
}

const assetPattern = /^[a-z0-9][a-z0-9-]{0,63}(:[A-Za-z0-9._-]{1,64})?$/
const providerPattern = /^[a-z][a-z0-9-]{0,31}$/
const currencyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$/

function matching(fields: Fields, key: string, pattern: RegExp): string {
  const value = own(fields, key)
  return typeof value === 'string' && pattern.test(value) ? value : refuse(`$.${key}`, `not like ${pattern}`)
}
export const assetId = (f: Fields, key: string): AssetId => matching(f, key, assetPattern) as AssetId
export const providerId = (f: Fields, key: string): ProviderId =>
  matching(f, key, providerPattern) as ProviderId
export const currency = (f: Fields, key: string): string => matching(f, key, currencyPattern)

/** A decimal number, minus allowed. */
export function decimal(fields: Fields, key: string): DecimalString {
  const value = own(fields, key)
  return typeof value === 'string' && isDecimalString(value)
    ? (value as DecimalString)
    : refuse(`$.${key}`, 'not a decimal number as text')
}
export function positiveDecimal(fields: Fields, key: string): DecimalString {
  const value = decimal(fields, key)
  return value.startsWith('-') ? refuse(`$.${key}`, 'negative') : value
}
export const has = (fields: Fields, key: string): boolean => own(fields, key) !== undefined

/** A whole number 0..2^53-1. */
export function count(fields: Fields, key: string): number {
  const value = own(fields, key)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
    ? value
    : refuse(`$.${key}`, 'not a whole number of 0 or more')
}
export const micros = (f: Fields, key: string): EpochMicros => count(f, key) as EpochMicros
export const credits = (f: Fields, key: string): Credits => count(f, key) as Credits
export const countOrNull = (f: Fields, key: string): number | null =>
  own(f, key) === null ? null : count(f, key)
export const microsOrNull = (f: Fields, key: string): EpochMicros | null =>
  own(f, key) === null ? null : micros(f, key)

/** A finite whole number, minus allowed. */
export function whole(fields: Fields, key: string): number {
  const value = own(fields, key)
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)
    ? value
    : refuse(`$.${key}`, 'not a whole number')
}

/** One of a closed list. */
export function oneOf<T extends string>(fields: Fields, key: string, allowed: readonly T[]): T {
  const value = own(fields, key)
  const found = allowed.find(a => a === value)
  return found === undefined ? refuse(`$.${key}`, `not one of ${allowed.join(', ')}`) : found
}

export function flag(fields: Fields, key: string): boolean {
  const value = own(fields, key)
  return typeof value === 'boolean' ? value : refuse(`$.${key}`, 'not true or false')
}

/** Null, or text of at most max units. */
export const textOrNull = (f: Fields, key: string, max: number): string | null =>
  own(f, key) === null ? null : anyText(f, key, max)

const slugPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A name of ours that is part of ids: no separator can stand in it. */
export const slug = (f: Fields, key: string): string => matching(f, key, slugPattern)

/** Path of a field of an element. */
export const at = (key: string, index: number, field: string): string => `$.${key}[${index}].${field}`

/** A list of at most max objects, each read alike; what is wrong in one is named with its place. */
export function items<T>(fields: Fields, key: string, max: number, read: (item: Fields) => T): readonly T[] {
  const value = own(fields, key)
  if (!Array.isArray(value)) return refuse(`$.${key}`, 'not a list')
  if (value.length > max) refuse(`$.${key}`, `more than ${max}`)
  return value.map((item: unknown, index) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      return refuse(`$.${key}[${index}]`, 'not an object')
    try {
      return read(item as Fields)
    } catch (error) {
      if (!(error instanceof CryptosError) || error.code !== 'CRY_RECORD_INVALID') throw error
      throw new CryptosError(error.code, error.message.replace('$', `$.${key}[${index}]`), { cause: error })
    }
  })
}

export const isNull = (f: Fields, key: string): boolean => own(f, key) === null
