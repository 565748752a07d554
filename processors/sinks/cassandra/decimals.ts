import type { DecimalString } from '../../../core/brands.ts'

/** Largest magnitude that Node writes into six bytes, and that a number holds exactly. */
const sixBytes = 2 ** 47

/** Big-endian two's complement. */
function integerBytes(digits: string, negative: boolean): Buffer {
  const magnitude = Number(digits)
  if (magnitude < sixBytes) {
    const bytes = Buffer.allocUnsafe(10)
    bytes.writeIntBE(negative ? -magnitude : magnitude, 4, 6)
    return bytes
  }
  return largeBytes(negative ? -BigInt(digits) : BigInt(digits))
}

/** The first four bytes are left for the scale. */
function largeBytes(value: bigint): Buffer {
  // One byte more than the magnitude needs, so that there is room for the sign.
  const length = Math.ceil((value < 0n ? -value : value).toString(16).length / 2) + 1
  const bytes = Buffer.allocUnsafe(4 + length)
  let rest = value
  for (let i = length - 1; i >= 0; i -= 1) {
    bytes[4 + i] = Number(rest & 255n)
    rest >>= 8n
  }
  return bytes
}

/** A `decimal` of CQL: four bytes of scale, then the digits as one integer. The driver's own reading of `1E+3` is 1. */
export function decimalBytes(text: DecimalString): Buffer {
  const negative = text.charCodeAt(0) === 45
  const exponentAt = text.search(/[eE]/)
  const mantissa = text.slice(negative ? 1 : 0, exponentAt < 0 ? undefined : exponentAt)
  const point = mantissa.indexOf('.')
  const digits = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1)
  const exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1))
  const bytes = integerBytes(digits, negative)
  bytes.writeInt32BE((point < 0 ? 0 : mantissa.length - point - 1) - exponent, 0)
  return bytes
}

const notPlain = /^-0(?:\.0*)?$|[eE]/

/** Whether a `decimal` gives these very digits back: not where there is an exponent, or a zero with a sign. */
export const isPlain = (text: DecimalString): boolean => !notPlain.test(text)
