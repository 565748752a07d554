import { Decimal } from 'decimal.js'
import type { DecimalString } from '../../core/brands.ts'

/** Natural logarithm of a price, as a float: for comparisons only, never stored. Text that a float can not hold is no trouble. */
export function lnOf(price: DecimalString): number {
  const value = Number(price)
  return value > 0 && Number.isFinite(value) ? Math.log(value) : new Decimal(price).ln().toNumber()
}

/** Nothing costs more or less: with it a sum, a quotient or a median of prices would be no number that the product stores. */
const mostLn = 100 * Math.LN10

/** Whether the text is what a price can be: above 0, and between 1e-100 and 1e100. */
export function isPrice(price: DecimalString): boolean {
  const ln = price.startsWith('-') ? Number.NaN : lnOf(price)
  return Math.abs(ln) <= mostLn
}

/** Distance in logarithms of so many per cent. */
export const lnOfPercent = (percent: number): number => Math.log1p(percent / 100)

/** Per cent of a distance in logarithms, for a sentence: `-7.4`. */
export const percentText = (ln: number): string => `${(100 * Math.expm1(ln)).toPrecision(3)} %`

/** NaN for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** Median absolute deviation. NaN for none. */
export function madOf(values: readonly number[], median: number): number {
  return medianOf(values.map(v => Math.abs(v - median)))
}

/** Digits that say something: `0.00120` has 3, `84278` has 5. */
export const significantDigits = (price: DecimalString): number =>
  (price.split(/[eE]/, 1)[0] ?? '').replace(/[-.]/g, '').replace(/^0+/, '').length

/** `90 s`, `20 min`, `6.5 h`, `3 d`. */
export function spanText(ms: number): string {
  const [size, unit] = ms < 120_000 ? [1_000, 's'] : ms < 7_200_000 ? [60_000, 'min'] : [3_600_000, 'h']
  return ms < 172_800_000
    ? `${Number((ms / size).toFixed(1))} ${unit}`
    : `${Number((ms / 86_400_000).toFixed(1))} d`
}
