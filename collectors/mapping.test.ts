import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, ProviderId } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { refusePayload } from './check.ts'
import { isSamePrice, MappedRows, type Row } from './mapping.ts'
import type { MappingContext } from './provider.ts'

const [bitcoin, xrp] = ['bitcoin', 'xrp'].map((name, i) => ({
  ...{ asset: AssetId(name), symbol: name.toUpperCase(), sourceId: String(i + 1) },
})) as [Ref, Ref]
type Ref = { asset: AssetId; symbol: string; sourceId: string }

const context: MappingContext = {
  ...{ provider: ProviderId('some'), dataset: 'quotes', origin: 'sandbox', runId: 'r', revision: 0 },
  ...{ receivedAt: parseIso('2026-11-21T12:00:00Z'), credits: Credits(1), rawRef: 'raw' },
  page: { assets: [bitcoin, xrp], currency: 'USD' },
}
const priced = (price: string, currency = 'USD'): Row => ({
  ...{ ref: bitcoin, currency, price: DecimalString(price), observedAt: undefined },
})
const none: Row = { ref: bitcoin, none: 'the price is null' }

function mapped(rows: readonly (Row | 'broken')[]) {
  const all = new MappedRows(context)
  for (const row of rows)
    all.add(bitcoin, () => (row === 'broken' ? refusePayload('$.price', 'a price', 'x') : row))
  all.add(xrp, () => ({ ...priced('2.5'), ref: xrp }))
  const { records, missing } = all.result()
  expect(records.map(r => r.asset)).toContain('xrp')
  expect(records.length + missing.length).toBe(2)
  const [record] = records.filter(r => r.asset === 'bitcoin')
  return record?.price ?? missing[0]?.reason
}

describe('two rows of one id', () => {
  it('are one where their price is the same, however it is written', () => {
    expect(mapped([priced('81500'), priced('81500')])).toBe('81500')
    expect(mapped([priced('81500.10'), priced('8.15001e4'), priced('815001E-1')])).toBe('81500.10')
  })

  it('with different prices or currencies are no price, in whatever order, and spoil no other asset', () => {
    const why = 'two rows with different prices'
    expect(mapped([priced('81500'), priced('8150')])).toBe(why)
    expect(mapped([priced('8150'), priced('81500'), priced('8150')])).toBe(why)
    expect(mapped([priced('81500'), priced('81500', 'EUR')])).toBe(why)
    expect(mapped([priced('100000000000000000001'), priced('100000000000000000002')])).toBe(why)
  })

  it('of which one has no price, or none that can be read, are no price either', () => {
    expect(mapped([none, priced('81500')])).toBe('the price is null')
    expect(mapped([priced('81500'), none])).toBe('a second row without a price: the price is null')
    for (const rows of [['broken', priced('1')] as const, [priced('1'), 'broken'] as const])
      expect(mapped(rows)).toMatch('$.price: wanted a price')
  })

  it('give the same in any order', () => {
    const row = fc.constantFrom<Row | 'broken'>(priced('1'), priced('1.0'), priced('2'), none, 'broken')
    const isPrice = (rows: readonly (Row | 'broken')[]) => /^1(\.0)?$|^2$/.test(mapped(rows) ?? '')
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), rows => {
        expect(isPrice(rows.toReversed())).toBe(isPrice(rows))
      }),
    )
  })
})

describe('the same price', () => {
  it('is told by the value of its digits', () => {
    const digits = fc.record({ value: fc.bigInt({ min: 1n, max: 10n ** 25n }), scale: fc.nat({ max: 12 }) })
    const price = (text: string) => ({ price: DecimalString(text), currency: 'USD' })
    fc.assert(
      fc.property(digits, digits, fc.nat({ max: 6 }), (a, b, zeros) => {
        const textOf = ({ value, scale }: typeof a) => {
          const text = String(value).padStart(scale + 1, '0')
          return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
        }
        const more =
          a.scale === 0 ? `${textOf(a)}.${'0'.repeat(zeros + 1)}` : `${textOf(a)}${'0'.repeat(zeros)}`
        expect(isSamePrice(price(textOf(a)), price(more))).toBe(true)
        expect(isSamePrice(price(textOf(a)), price(`${a.value}e-${a.scale}`))).toBe(true)
        const isEqual = a.value * 10n ** BigInt(b.scale) === b.value * 10n ** BigInt(a.scale)
        expect(isSamePrice(price(textOf(a)), price(textOf(b)))).toBe(isEqual)
      }),
    )
  })
})
