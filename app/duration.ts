import { CryptosError } from '../core/errors.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../core/time.ts'

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
}

/** `250ms`, `60s`, `5m`, `1h`, `2d` or `1w` to milliseconds. @throws CryptosError CRY_USAGE */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text.trim())
  const unit = units[match?.[2] ?? '']
  if (match && unit !== undefined) return Number(match[1]) * unit
  const given = text.trim().slice(0, 40)
  const why = /^\d{1,9}$/.test(given)
    ? `"${given}" has no unit: write ${given}s for seconds, or another of ms, s, m, h, d, w`
    : `"${given}" is not a duration: a whole number and one of ms, s, m, h, d, w, such as 60s or 5m`
  throw new CryptosError('CRY_USAGE', `${option}: ${why}`)
}
