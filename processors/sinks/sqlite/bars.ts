import type { DecimalString } from '../../../core/brands.ts'
import type { SqlRow } from '../../../host/sqlite.ts'
import { compareDecimals } from './compare.ts'

export interface Bar {
  readonly open: DecimalString
  readonly high: DecimalString
  readonly low: DecimalString
  readonly close: DecimalString
  readonly count: number
}

const textOf = (row: SqlRow, column: string): DecimalString => String(row[column]) as DecimalString

/** The bar of raw rows in time order. */
export function barOfPrices(rows: readonly SqlRow[]): Bar | undefined {
  const first = rows[0]
  const last = rows.at(-1)
  if (!first || !last) return undefined
  let high = textOf(first, 'price')
  let low = high
  for (const row of rows) {
    const price = textOf(row, 'price')
    if (compareDecimals(price, high) > 0) high = price
    if (compareDecimals(price, low) < 0) low = price
  }
  return { open: textOf(first, 'price'), high, low, close: textOf(last, 'price'), count: rows.length }
}

/** The bar of narrower bars in time order. */
export function barOfBars(rows: readonly SqlRow[]): Bar | undefined {
  const first = rows[0]
  const last = rows.at(-1)
  if (!first || !last) return undefined
  let high = textOf(first, 'high')
  let low = textOf(first, 'low')
  let count = 0
  for (const row of rows) {
    if (compareDecimals(textOf(row, 'high'), high) > 0) high = textOf(row, 'high')
    if (compareDecimals(textOf(row, 'low'), low) < 0) low = textOf(row, 'low')
    count += Number(row['count'])
  }
  return { open: textOf(first, 'open'), high, low, close: textOf(last, 'close'), count }
}
