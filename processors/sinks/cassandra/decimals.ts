import type { DecimalString } from '../../../core/brands.ts'

const [minus, point, zero] = [45, 46, 48]
/** A number holds these exactly, and Node writes them without a BigInt. */
const [fourBytes, sixBytes] = [2 ** 31, 2 ** 47]
const twoTo32 = 2 ** 32

/**
 * A `decimal` of CQL: four bytes of scale, then the digits as one integer. The driver's own reading of `1E+3` is 1. Five of them are
 * written for each row, so most texts are read in one pass.
 */
export function decimalBytes(text: DecimalString): Buffer {
  const negative = text.charCodeAt(0) === minus
  let magnitude = 0
  let scale = 0
  for (let i = negative ? 1 : 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code === point) scale = text.length - i - 1
    // An exponent has a letter.
    else if (code > 57) return anyBytes(text, negative)
    else magnitude = magnitude * 10 + code - zero
    if (magnitude >= sixBytes) return anyBytes(text, negative)
  }
  return smallBytes(negative ? -magnitude : magnitude, scale)
}

function smallBytes(value: number, scale: number): Buffer {
  const isSmall = value < fourBytes && value >= -fourBytes
  const bytes = Buffer.allocUnsafe(isSmall ? 8 : 10)
  bytes.writeInt32BE(scale, 0)
  if (isSmall) bytes.writeInt32BE(value, 4)
  else {
    const high = Math.floor(value / twoTo32)
    bytes.writeInt16BE(high, 4)
    bytes.writeUInt32BE(value - high * twoTo32, 6)
  }
  return bytes
}

function anyBytes(text: DecimalString, negative: boolean): Buffer {
  const exponentAt = text.search(/[eE]/)
  const mantissa = text.slice(negative ? 1 : 0, exponentAt < 0 ? undefined : exponentAt)
  const pointAt = mantissa.indexOf('.')
  const digits = pointAt < 0 ? mantissa : mantissa.slice(0, pointAt) + mantissa.slice(pointAt + 1)
  const exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1))
  const bytes = integerBytes(negative ? -BigInt(digits) : BigInt(digits), digits.length)
  bytes.writeInt32BE((pointAt < 0 ? 0 : mantissa.length - pointAt - 1) - exponent, 0)
  return bytes
}

/** Big-endian two's complement. The first four bytes are left for the scale. */
function integerBytes(value: bigint, digits: number): Buffer {
  if (digits <= 18) {
    const bytes = Buffer.allocUnsafe(12)
    bytes.writeBigInt64BE(value, 4)
    return bytes
  }
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
