import { CryptosError } from '../core/errors.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../core/time.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/** `60s`, `5m`, `1h`, `250ms` or `2d` to milliseconds. @throws CryptosError CRY_USAGE */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim())
  const unit = units[match?.[2] ?? '']
  if (!match || unit === undefined)
    throw new CryptosError(
      'CRY_USAGE',
      `${option}: "${text.slice(0, 40)}" is not a duration such as 60s, 5m or 1h`,
    )
  return Number(match[1]) * unit
}
