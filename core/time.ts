import { EpochMicros } from './brands.ts'
import { CryptosError } from './errors.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Milliseconds since the epoch, cut. */
export const toEpochMs = (time: EpochMicros): number => Math.floor(time / 1_000)
export const fromEpochMs = (ms: number): EpochMicros => EpochMicros(Math.round(ms * 1_000))
export const addMs = (time: EpochMicros, ms: number): EpochMicros =>
  EpochMicros(time + Math.round(ms * 1_000))
let lastIso = { ms: 0, text: '1970-01-01T00:00:00.000Z' }

/** ISO 8601 in UTC with three digits. The newest answer is remembered: slots and logs name the same moment again and again. */
export function toIso(time: EpochMicros): string {
  const ms = toEpochMs(time)
  if (ms !== lastIso.ms) lastIso = { ms, text: new Date(ms).toISOString() }
  return lastIso.text
}

const isoPattern = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/
const earliest = fromEpochMs(Date.UTC(2009, 0, 1))

/**
 * ISO 8601 text with a zone to microseconds; further digits are cut.
 * @throws CryptosError CRY_VALUE_INVALID for anything else, and for a time before Bitcoin (2009)
 */
export function parseIso(text: string): EpochMicros {
  const match = isoPattern.exec(text)
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN
  if (!Number.isFinite(seconds))
    throw new CryptosError('CRY_VALUE_INVALID', `not an ISO time: ${JSON.stringify(text.slice(0, 60))}`)
  const micros = EpochMicros(
    Math.max(0, seconds * 1_000 + Number((match?.[2] ?? '').padEnd(6, '0').slice(0, 6))),
  )
  if (micros < earliest) throw new CryptosError('CRY_VALUE_INVALID', `a time before 2009: ${text}`)
  return micros
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY }

/** `250ms`, `60s`, `5m`, `1h`, `2d` or `1w` to milliseconds; undefined for anything else. */
export function readDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text)
  const unit = unitMs[match?.[2] ?? '']
  return match && unit !== undefined ? Number(match[1]) * unit : undefined
}
