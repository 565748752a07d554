const formulaStart = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/
const plainNumber = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i

/** RFC 4180; a cell that a spreadsheet would run as a formula gets a quote in front, a negative number does not. */
export function csvCell(text: string): string {
  const safe = formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A column: its name, and what stands in it; nothing for what a record does not have. */
export type Column<R> = readonly [name: string, text: (record: R) => string | null | undefined]

export const csvHead = <R>(columns: readonly Column<R>[]): string => columns.map(([name]) => name).join(',')

export const csvLine = <R>(columns: readonly Column<R>[], record: R): string =>
  columns.map(([, text]) => csvCell(text(record) ?? '')).join(',')
