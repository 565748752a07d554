import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  divide,
  formatExponent,
  formatFixed,
  formatNumber,
  formatShort,
  limitDigits,
  multiply,
  parseFixed,
  rescale,
} from './decimal.ts'

const fixed = fc.record({
  units: fc.bigInt(-(10n ** 30n), 10n ** 30n),
  scale: fc.integer({ min: 0, max: 30 }),
})

describe('decimal', () => {
  it('reads back what it wrote, in every style', () => {
    fc.assert(
      fc.property(fixed, value => {
        for (const text of [
          formatFixed(value),
          formatShort(value),
          formatExponent(value),
          formatNumber(value),
        ]) {
          const again = rescale(parseFixed(text), 60)
          expect(again).toEqual(rescale(value, 60))
        }
      }),
    )
  })

  it('prints numbers as JavaScript does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999 }),
        fc.integer({ min: 0, max: 20 }),
        (units, scale) => {
          expect(formatNumber({ units: BigInt(units), scale })).toBe(String(Number(`${units}e-${scale}`)))
        },
      ),
    )
  })

  it('multiplies and divides exactly', () => {
    expect(formatFixed(multiply(parseFixed('0.1'), parseFixed('0.2')))).toBe('0.02')
    expect(formatFixed(multiply(parseFixed('9.6e-12'), parseFixed('1e15')))).toBe('9600.0000000000000')
    expect(formatFixed(divide(parseFixed('1'), parseFixed('3'), 5))).toBe('0.33333')
  })

  it('cuts to significant digits of the fraction only', () => {
    expect(formatShort(limitDigits(parseFixed('123.456789'), 5))).toBe('123.45')
    expect(formatShort(limitDigits(parseFixed('123456789'), 5))).toBe('123456789')
  })
})
