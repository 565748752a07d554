import { CryptosError } from '../core/errors.ts'
import { readDurationMs } from '../core/time.ts'

/** `250ms`, `60s`, `5m`, `1h`, `2d` or `1w` to milliseconds. @throws CryptosError CRY_USAGE */
export function parseDuration(text: string, option: string): number {
  const ms = readDurationMs(text.trim())
  if (ms !== undefined) return ms
  const given = text.trim().slice(0, 40)
  const why = /^\d{1,9}$/.test(given)
    ? `"${given}" has no unit: write ${given}s for seconds, or another of ms, s, m, h, d, w`
    : `"${given}" is not a duration: a whole number and one of ms, s, m, h, d, w, such as 60s or 5m`
  throw new CryptosError('CRY_USAGE', `${option}: ${why}`)
}
