import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvCell } from './csv.ts'

/** A cell as a reader of RFC 4180 takes it. */
const read = (cell: string): string => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)

describe('a cell of the CSV', () => {
  it.each([
    '=1+1',
    '+1+1',
    '-1+cmd|x!A1',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '＝1',
    '-',
    '-inf',
    '=HYPERLINK("http://x")',
  ])('%j is no formula', text => {
    expect(read(csvCell(text))).toBe(`'${text}`)
  })
  it.each(['-1', '-0.000000000001', '-9.6e-12', '1e15', '64000.10', 'BTC', ''])('%j stays as it is', text => {
    expect(csvCell(text)).toBe(text)
  })
  it('is quoted where it holds a comma, a quote or a line break', () => {
    expect(csvCell('a,b')).toBe('"a,b"')
    expect(csvCell('a"b')).toBe('"a""b"')
    expect(csvCell('a\nb')).toBe('"a\nb"')
  })
  it('never begins a formula and never breaks its line, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const cell = csvCell(text)
        const value = read(cell)
        expect(value === text || value === `'${text}`).toBe(true)
        expect(/^[=+@]/.test(value)).toBe(false)
        if (!cell.startsWith('"')) expect(cell).not.toMatch(/[",\r\n]/)
      }),
    )
  })
})
