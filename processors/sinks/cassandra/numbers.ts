import type { DecimalString } from '../../../core/brands.ts'
import { decimalBytes, isPlain } from './decimals.ts'
import type { Row } from './session.ts'

/** null = there is none; 0 = the decimal column has it; text = the provider's own, which a decimal does not give back. */
export type Exact = string | 0 | null

/** What stands in the detail of a row beside its decimal columns. */
export const exactOf = (text: DecimalString | undefined): Exact =>
  text === undefined ? null : isPlain(text) ? 0 : text

/** undefined leaves the column as it is: no tombstone for what a provider never gives. */
export const bytesOf = (text: DecimalString | undefined): Buffer | undefined =>
  text === undefined ? undefined : decimalBytes(text)

/** The very text that was stored. */
export const numberIn = (row: Row, column: string, exact: Exact | undefined): DecimalString | undefined => {
  if (exact === null || exact === undefined) return undefined
  return (exact === 0 ? String(row[column]) : exact) as DecimalString
}
