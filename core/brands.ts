import { CryptosError } from './errors.ts'

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Our own stable name of an asset: `bitcoin`, or `<provider>:<id there>` for one that our table does not know. Never a ticker. */
export type AssetId = Brand<string, 'AssetId'>
/** Lower-case name of a provider folder: `coinmarketcap`. */
export type ProviderId = Brand<string, 'ProviderId'>
/** A finite decimal number as text, with the very digits of its source: `84278.77808276`, `9.6e-12`, `1e15`. */
export type DecimalString = Brand<string, 'DecimalString'>
/** Whole microseconds since 1970-01-01T00:00:00Z. */
export type EpochMicros = Brand<number, 'EpochMicros'>
/** Whole milliseconds, 0 or more. */
export type DurationMs = Brand<number, 'DurationMs'>
/** Whole API credits, 0 or more, as the provider bills them. */
export type Credits = Brand<number, 'Credits'>

const assetPattern = /^[a-z0-9][a-z0-9-]{0,63}(:[A-Za-z0-9._-]{1,64})?$/
const providerPattern = /^[a-z][a-z0-9-]{0,31}$/
const decimalPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,4})?$/
const maxDecimalLength = 80
/** Beyond 1e±400 no price, supply or volume is real; such text is an attack or a bug (`1e400` is Infinity to a float). */
const maxExponent = 308

function refuse(what: string, value: unknown): never {
  throw new CryptosError('CRY_VALUE_INVALID', `${what}: ${JSON.stringify(String(value)).slice(0, 100)}`)
}

/** @throws CryptosError CRY_VALUE_INVALID */
export function AssetId(text: string): AssetId {
  return assetPattern.test(text) ? (text as AssetId) : refuse('not an asset id', text)
}

/** @throws CryptosError CRY_VALUE_INVALID */
export function ProviderId(text: string): ProviderId {
  return providerPattern.test(text) ? (text as ProviderId) : refuse('not a provider id', text)
}

/** Whether `text` is a decimal number that this product stores. */
export function isDecimalString(text: string): boolean {
  if (text.length > maxDecimalLength || !decimalPattern.test(text)) return false
  const exponentAt = text.search(/[eE]/)
  return exponentAt < 0 || Math.abs(Number(text.slice(exponentAt + 1))) <= maxExponent
}

/** Keeps the digits as they are. @throws CryptosError CRY_VALUE_INVALID */
export function DecimalString(text: string): DecimalString {
  return isDecimalString(text) ? (text as DecimalString) : refuse('not a decimal number', text)
}

/** @throws CryptosError CRY_VALUE_INVALID */
export function EpochMicros(value: number): EpochMicros {
  return Number.isSafeInteger(value) && value >= 0
    ? (value as EpochMicros)
    : refuse('not epoch microseconds', value)
}

/** @throws CryptosError CRY_VALUE_INVALID */
export function DurationMs(value: number): DurationMs {
  return Number.isSafeInteger(value) && value >= 0
    ? (value as DurationMs)
    : refuse('not a duration in ms', value)
}

/** @throws CryptosError CRY_VALUE_INVALID */
export function Credits(value: number): Credits {
  return Number.isSafeInteger(value) && value >= 0
    ? (value as Credits)
    : refuse('not a number of credits', value)
}
