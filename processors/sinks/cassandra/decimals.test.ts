import cassandra from 'cassandra-driver'
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecimalString } from '../../../core/brands.ts'
import { anyDecimals } from '../../../topics/records.contract.ts'
import { decimalBytes } from './decimals.ts'

/** Whether a `decimal` gives these very digits back: not where there is an exponent, or a zero with a sign. */
const isPlain = (text: string): boolean => !/^-0(?:\.0*)?$|[eE]/.test(text)

const { BigDecimal, Integer } = cassandra.types
const fullSize = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.stringMatching(/^(0|[1-9]\d{0,37})$/),
    fc.option(fc.stringMatching(/^\d{1,38}$/)),
    fc.option(fc.integer({ min: -308, max: 308 })),
  )
  .map(([sign, whole, fraction, exponent]) =>
    DecimalString(
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
    ),
  )
const decimals = fc.oneof(anyDecimals, fullSize)
/** What a server stores, worked out by hand: scale, then big-endian two's complement. */
function numberIn(bytes: Buffer): Decimal {
  const digits = BigInt.asIntN((bytes.length - 4) * 8, BigInt(`0x${bytes.subarray(4).toString('hex')}`))
  return new Decimal(digits.toString()).mul(new Decimal(10).pow(-bytes.readInt32BE(0)))
}

describe('a decimal of CQL', () => {
  it('has the value of its text, with up to 76 digits and any exponent', () => {
    Decimal.set({ precision: 200, minE: -9e15, maxE: 9e15 })
    fc.assert(
      fc.property(decimals, text => {
        expect(numberIn(decimalBytes(text)).eq(new Decimal(text))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives the very digits back by the driver, unless there is an exponent or a zero with a sign', () => {
    fc.assert(
      fc.property(decimals, text => {
        const read = BigDecimal.fromBuffer(decimalBytes(text)).toString()
        if (isPlain(text)) expect(read).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is read by the driver as other numbers are, around the sizes where its bytes change', () => {
    for (const power of [7n, 8n, 15n, 16n, 31n, 32n, 47n, 48n, 53n, 63n, 64n, 120n])
      for (const near of [-1n, 0n, 1n])
        for (const sign of [1n, -1n]) {
          const value = sign * (2n ** power + near)
          const read = BigDecimal.fromBuffer(decimalBytes(DecimalString(String(value))))
          expect(read.equals(new BigDecimal(Integer.fromString(String(value)) as unknown as number, 0))).toBe(
            true,
          )
        }
  })
})
