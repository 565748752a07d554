import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { decimalOf, figureOf, isZero, priceOf, rowOf, textOf, timeOf, unixTimeOf, wholeOf } from './check.ts'
import { JsonNumber, parseExact } from './json.ts'
import { DecimalString } from '../core/brands.ts'

const number = (text: string): JsonNumber => new JsonNumber(text)
const now = parseIso('2026-11-21T12:00:00Z')

describe('readers of payloads', () => {
  it('name the path and what stood there, in a few characters', () => {
    expect(() => priceOf(`a\u0000${'x'.repeat(500)}`, '$.data[3].price')).toThrow(
      /^\$\.data\[3\]\.price: wanted a decimal number, got the text "a\\u0000x{1,40}"$/,
    )
    expect(() => decimalOf(undefined, '$.a')).toThrow('$.a: wanted a decimal number, got nothing')
  })

  it('take prices above zero only', () => {
    for (const good of ['1', '0.00000001', '9.6e-12', '1e15']) expect(priceOf(number(good), '$')).toBe(good)
    for (const bad of ['0', '0.000', '0e9', '-0', '-1', '-1e-9', '1e400'])
      expect(() => priceOf(number(bad), '$')).toThrow()
    for (const bad of ['', ' 1', '1,000', '0x10', 'NaN', 'Infinity', '01'])
      expect(() => priceOf(bad, '$')).toThrow()
  })

  it('know zero in any spelling', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e300 }), drawn => {
        // Below it no number is stored.
        const value = drawn < 1e-300 ? 0 : drawn
        const text = String(value)
        expect(isZero(DecimalString(text))).toBe(value === 0)
      }),
    )
  })

  it('take an unknown figure for none', () => {
    expect(figureOf(number('0'), 'unknown')).toBeUndefined()
    expect(figureOf(number('0'), 'counts')).toBe('0')
    for (const none of [undefined, null, true, 'much', number('-5')])
      expect(figureOf(none, 'counts')).toBeUndefined()
  })

  it('take control characters and direction marks out of text, and keep it short', () => {
    expect(textOf('\u001b[31mB\u202eTC\n', '$')).toBe('[31mBTC')
    expect(() => textOf('\u0000\u0007', '$')).toThrow()
    expect(() => textOf('x'.repeat(65), '$')).toThrow(/1 to 64/)
    expect(textOf('\ud800x', '$').isWellFormed()).toBe(true)
  })

  it('take times from 2009 to five minutes ahead', () => {
    expect(timeOf('2026-11-21T12:05:00Z', '$', now)).toBe(parseIso('2026-11-21T12:05:00Z'))
    expect(() => timeOf('2026-11-21T12:05:00.001Z', '$', now)).toThrow(/to come/)
    // The newest time is remembered; it must still be compared with this answer's own clock.
    expect(() => timeOf('2026-11-21T12:05:00.001Z', '$', now)).toThrow(/to come/)
    expect(() => timeOf('2008-12-31T23:59:59Z', '$', now)).toThrow(/2009/)
    expect(() => timeOf(number('1732190400'), '$', now)).toThrow(/ISO/)
  })

  it('take no row in which a name stands twice', () => {
    const row = (text: string) => rowOf(parseExact(new TextEncoder().encode(text)), '$[3]')
    expect(row('{"id":"a","of":{"id":"b"},"price":2}').get('id')).toBe('a')
    for (const text of ['{"id":"a","id":"a"}', '{"p":1,"id":"a","\\u0070":2}', '{"a":{},"b":[1],"a":{}}'])
      expect(() => row(text), text).toThrow('$[3]: wanted each name once, got an object')
    expect(() => row('[]')).toThrow('$[3]: wanted an object')
  })

  it('take Unix times in the unit that they are told', () => {
    const noon = Number(now) / 1_000_000
    const seconds = { receivedAt: now, unit: 'seconds' } as const
    const ms = { receivedAt: now, unit: 'ms' } as const
    expect(unixTimeOf(number(`${noon}`), '$', seconds)).toBe(now)
    expect(unixTimeOf(`${noon + 300}`, '$', seconds)).toBe(now + 300_000_000)
    expect(unixTimeOf(number(`${noon}123`), '$', ms)).toBe(now + 123_000)
    for (const bad of [number(`${noon + 301}`), number(`${noon}000`), number(`${noon}.5`), null, '1e9'])
      expect(() => unixTimeOf(bad, '$.at', seconds)).toThrow(/^\$\.at: wanted a time in seconds/)
    expect(() => unixTimeOf(number(`${noon}`), '$', ms)).toThrow(/2009/)
  })

  it('take whole numbers as numbers and as digits', () => {
    expect([
      wholeOf(number('7')),
      wholeOf('7'),
      wholeOf(number('7.0')),
      wholeOf('-1'),
      wholeOf(null),
    ]).toEqual([...[7, 7, undefined, undefined, undefined]])
  })
})
