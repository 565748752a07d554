import type { DecimalString } from '../../../core/brands.ts'

/** digits * 10^exponent, exactly. */
function parts(text: string): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', exponent = '0'] = text.toLowerCase().split('e')
  const [wholePart = '0', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(wholePart + fraction), exponent: Number(exponent) - fraction.length }
}

/**
 * Exact order of two decimal numbers: negative, 0 or positive. Floats decide where they differ by more than their own
 * rounding; the digits decide the rest, so that a high of 38 digits is the right one of two that are the same float.
 */
export function compareDecimals(a: DecimalString, b: DecimalString): number {
  if (a === b) return 0
  const difference = Number(a) - Number(b)
  if (Math.abs(difference) > Math.abs(Number(a)) * 1e-15 + Number.MIN_VALUE) return difference
  const left = parts(a)
  const right = parts(b)
  const exponent = Math.min(left.exponent, right.exponent)
  const scaled = (p: typeof left): bigint => p.digits * 10n ** BigInt(p.exponent - exponent)
  const exact = scaled(left) - scaled(right)
  return exact < 0n ? -1 : exact > 0n ? 1 : 0
}
