import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec } from '../../core/ports/codec.ts'
import type { Quote } from '../../core/records.ts'
import { deadLetters, quotaEvents, quotes } from '../records.contract.ts'
import { deadLetterJson } from './dead-letter-json.ts'
import { quotaEventJson } from './quota-event-json.ts'
import { quoteJson } from './quote-json.ts'

const utf8 = new TextEncoder()
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const sample: Quote = fc.sample(quotes, { seed: 7, numRuns: 1 })[0]!
/** The sample as an object that can be spoilt, then bytes. */
const spoilt = (change: Record<string, unknown>): Uint8Array =>
  utf8.encode(JSON.stringify({ ...JSON.parse(text(quoteJson.encode(sample))), ...change }))

function roundTrip<R>(codec: Codec<R>, records: fc.Arbitrary<R>): void {
  fc.assert(
    fc.property(records, record => {
      const bytes = codec.encode(record)
      expect(isDeepStrictEqual(codec.decode(bytes), record)).toBe(true)
      // Canonical: the bytes depend on the record alone, not on the order in which it was put together.
      const reversed = Object.fromEntries(Object.entries(record as object).reverse()) as R
      expect(text(codec.encode(reversed))).toBe(text(bytes))
    }),
    { numRuns: 300 },
  )
}

describe('codecs', () => {
  it('give back every quote with every digit', () => roundTrip(quoteJson, quotes))
  it('give back every quota event', () => roundTrip(quotaEventJson, quotaEvents))
  it('give back every dead letter with its bytes and any header', () =>
    roundTrip(deadLetterJson, deadLetters))

  it('name the first wrong field of a quote', () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['kind', 'trade'],
      ['provider', 'Kraken|x'],
      ['asset', 'BTC'],
      ['symbol', 'BT\u0000C'],
      ['symbol', 'BTC\nX'],
      ['symbol', '\u202eCTB'],
      ['symbol', ''],
      ['symbol', 'x'.repeat(65)],
      ['symbol', '\ud800'],
      ['symbol', ['BTC']],
      ['sourceId', 1],
      ['currency', 'US|D'],
      ['price', 84_278.77],
      ['price', '-1'],
      ['price', '-0'],
      ['price', 'NaN'],
      ['price', 'Infinity'],
      ['price', '1e400'],
      ['price', '01'],
      ['price', '1,5'],
      ['price', ''],
      ['price', null],
      ['price', '9'.repeat(81)],
      ['marketCap', '-5'],
      ['volume24h', null],
      ['supply', {}],
      ['change24h', 'up'],
      ['observedAt', -1],
      ['observedAt', 1.5],
      ['observedAt', '1795267655265000'],
      ['observedAt', 2 ** 60],
      ['observedBy', 'nobody'],
      ['receivedAt', null],
      ['revision', -1],
      ['origin', 'toString'],
      ['runId', ''],
      ['credits', 0.5],
      ['rawRef', 'x'.repeat(513)],
    ]
    for (const [field, value] of wrong)
      expect(() => quoteJson.decode(spoilt({ [field]: value })), `${field} ${JSON.stringify(value)}`).toThrow(
        expect.objectContaining({
          code: 'CRY_RECORD_INVALID',
          message: expect.stringContaining(`$.${field}:`),
        }),
      )
  })

  it('refuse every quote with a field missing', () => {
    const optional = ['marketCap', 'volume24h', 'supply', 'change24h']
    const required = Object.keys(sample).filter(k => !optional.includes(k))
    for (const field of required)
      expect(() => quoteJson.decode(spoilt({ [field]: undefined })), field).toThrow(`$.${field}:`)
    expect(required).toHaveLength(15)
  })

  it('ignore unknown fields, and a __proto__ or constructor in the JSON is one of them', () => {
    const evil = `{"__proto__":{"price":"1","x":1},"constructor":{"prototype":{"x":1}},${text(quoteJson.encode(sample)).slice(1)}`
    const decoded = quoteJson.decode(utf8.encode(evil))
    expect(isDeepStrictEqual(decoded, sample)).toBe(true)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    // A field that exists only on a planted prototype is missing.
    const onlyOnProto = spoilt({ price: undefined })
    const planted = `{"__proto__":{"price":"1"},${text(onlyOnProto).slice(1)}`
    expect(() => quoteJson.decode(utf8.encode(planted))).toThrow('$.price:')
  })

  it('find a field only on the object itself, also where something has spoilt Object.prototype', () => {
    const bytes = spoilt({ price: undefined })
    Object.defineProperty(Object.prototype, 'price', { value: '1', configurable: true })
    try {
      expect(() => quoteJson.decode(bytes)).toThrow('$.price:')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'price')
    }
  })

  it('refuse what is no JSON object in valid UTF-8 of a sane size', () => {
    const valid = quoteJson.encode(sample)
    const cut = valid.slice(0, valid.length - 1)
    const bad = [
      cut,
      utf8.encode('[]'),
      utf8.encode('null'),
      utf8.encode(''),
      new Uint8Array([0x7b, 0xff, 0x7d]),
    ]
    for (const bytes of [...bad, new Uint8Array(20_000).fill(32)])
      expect(() => quoteJson.decode(bytes)).toThrow(
        expect.objectContaining({ code: 'CRY_RECORD_INVALID', message: expect.stringMatching(/^\$:/) }),
      )
  })

  it('never throw anything but CRY_RECORD_INVALID, whatever the bytes', () => {
    const mutated = fc.tuple(quotes, fc.nat(), fc.string({ maxLength: 5 })).map(([q, at, junk]) => {
      const json = text(quoteJson.encode(q))
      const cut = at % json.length
      return utf8.encode(json.slice(0, cut) + junk + json.slice(cut + junk.length))
    })
    const refusals = { count: 0 }
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array()), bytes => {
        for (const codec of [quoteJson, quotaEventJson, deadLetterJson])
          try {
            codec.decode(bytes)
          } catch (error) {
            refusals.count += 1
            expect(error).toMatchObject({ code: 'CRY_RECORD_INVALID' })
          }
      }),
      { numRuns: 500 },
    )
    expect(refusals.count).toBeGreaterThan(500)
  })
})
