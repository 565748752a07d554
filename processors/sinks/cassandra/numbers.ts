import type { DecimalString } from '../../../core/brands.ts'
import { decimalBytes } from './decimals.ts'

/** undefined leaves the column as it is: no tombstone for what a provider never gives. */
export const bytesOf = (text: DecimalString | undefined): Buffer | undefined =>
  text === undefined ? undefined : decimalBytes(text)

const twoTo32 = 2 ** 32

/** A `bigint` of CQL out of a whole number. The driver makes an object of its own of each. */
export function bigintBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  const high = Math.floor(value / twoTo32)
  bytes.writeInt32BE(high, 0)
  bytes.writeUInt32BE(value - high * twoTo32, 4)
  return bytes
}

export function intBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value, 0)
  return bytes
}
