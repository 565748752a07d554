import type { DecimalString } from '../../../core/brands.ts'

interface Fixed {
  readonly units: bigint
  readonly scale: number
}

/** Exact: no float. The text is a checked decimal, so its exponent is small. */
function fixedOf(text: DecimalString): Fixed {
  const [mantissa = '0', exponent = '0'] = text.split(/[eE]/)
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const scale = fraction.length - Number(exponent)
  const units = BigInt(whole + fraction)
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

/** Negative, 0 or positive as a - b is. */
export function compareDecimals(a: DecimalString, b: DecimalString): number {
  const difference = differenceOf(fixedOf(a), fixedOf(b)).units
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Whether a and b differ by at most one unit of the given fraction digit: 3 = 0.001. */
export function isWithin(a: DecimalString, b: DecimalString, digit: number): boolean {
  const { units, scale } = differenceOf(fixedOf(a), fixedOf(b))
  return (units < 0n ? -units : units) * 10n ** BigInt(digit) <= 10n ** BigInt(scale)
}

function differenceOf(a: Fixed, b: Fixed): Fixed {
  const scale = Math.max(a.scale, b.scale)
  const unitsOf = (value: Fixed): bigint => value.units * 10n ** BigInt(scale - value.scale)
  return { units: unitsOf(a) - unitsOf(b), scale }
}
