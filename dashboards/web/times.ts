import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import {
  addMs,
  DAY,
  fromEpochMs,
  HOUR,
  MINUTE,
  parseIso,
  readDurationMs,
  SECOND,
  toIso,
} from '../../core/time.ts'

const earliest = Date.UTC(2009, 0, 1)
const latest = Date.UTC(2100, 0, 1)

/** ISO 8601 in UTC with all six digits: `2026-11-21T13:00:00.123456Z`. */
export const toIsoMicros = (time: EpochMicros): string =>
  `${toIso(time).slice(0, -1)}${String(time % 1_000).padStart(3, '0')}Z`

/** `1m`, `60s`, `1h` … to milliseconds; undefined when it is no duration or zero. */
export function parseDuration(text: string): number | undefined {
  const ms = readDurationMs(text)
  return ms !== undefined && Number.isSafeInteger(ms) && ms > 0 ? ms : undefined
}

/** The shortest text of a whole duration: 60000 is `1m`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', MINUTE],
    ['s', SECOND],
  ] as const)
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}

/**
 * ISO 8601 with a zone, a date, epoch seconds, ms or microseconds (told apart by their digits), `now`, or `-6h`.
 * @throws CryptosError CRY_VALUE_INVALID with one sentence that names the parameter
 */
export function parseTime(name: string, text: string, now: EpochMicros): EpochMicros {
  const refuse = (): never => {
    throw new CryptosError(
      'CRY_VALUE_INVALID',
      `${name} must be an ISO 8601 time with a zone, epoch seconds or milliseconds from 2009 to 2100, or relative like -6h`,
    )
  }
  if (text === 'now') return now
  if (text.startsWith('-')) {
    const ms = parseDuration(text.slice(1))
    return ms === undefined || ms > now / 1_000 - earliest ? refuse() : addMs(now, -ms)
  }
  try {
    const time = /^\d+$/.test(text) ? fromDigits(text) : parseIso(completeIso(text))
    return time / 1_000 < earliest || time / 1_000 > latest ? refuse() : time
  } catch {
    return refuse()
  }
}

function fromDigits(text: string): EpochMicros {
  const value = Number(text)
  if (text.length <= 11) return fromEpochMs(value * SECOND)
  return fromEpochMs(text.length <= 14 ? value : value / 1_000)
}

/** A date alone is its midnight in UTC; a space before the zone is a `+` that the URL decoding ate. */
const completeIso = (text: string): string =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text.replace(/ (\d{2}:\d{2})$/, '+$1')
