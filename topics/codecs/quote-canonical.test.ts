import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecimalString } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Quote } from '../../core/records.ts'
import { quotes } from '../records.contract.ts'
import { canonicalQuote } from './quote-canonical.ts'
import { quoteJson } from './quote-json.ts'

const textOf = (quote: Quote): string => new TextDecoder().decode(quoteJson.encode(quote))
/** A blank makes it another text of the same JSON, so that it is read field by field. */
function byFields(json: string): Quote | undefined {
  try {
    return quoteJson.decode(new TextEncoder().encode(` ${json}`))
  } catch (error) {
    expect(error).toBeInstanceOf(CryptosError)
    return undefined
  }
}
const same = (json: string): void => {
  const fast = canonicalQuote(json)
  if (fast) expect(isDeepStrictEqual(fast, byFields(json)), json).toBe(true)
}

/** Quotes as providers send them: printable ASCII, no exponent. */
const word = fc.stringMatching(/^[ !#-[\]-~]{1,20}$/)
const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?$/).map(DecimalString)
const extras = fc.record(
  { marketCap: digits, volume24h: digits, supply: digits, change24h: digits },
  { requiredKeys: [] },
)
const plainQuotes: fc.Arbitrary<Quote> = fc
  .tuple(quotes, fc.tuple(word, word, word, word), digits, extras)
  .map(([{ marketCap: _m, volume24h: _v, supply: _s, change24h: _c, ...quote }, words, price, more]) => {
    const [symbol, sourceId, runId, rawRef] = words
    return { ...quote, symbol, sourceId, runId, rawRef, price, ...more }
  })

describe('a quote as our encoder writes it', () => {
  it('is the same record as field by field, and not left to that where it is plain', () => {
    fc.assert(
      fc.property(plainQuotes, quote => {
        same(textOf(quote))
        expect(canonicalQuote(textOf(quote))).toEqual(quote)
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(quotes, quote => same(textOf(quote))),
      { numRuns: 500 },
    )
  })

  it('is never read where reading field by field would refuse it, whatever is changed in the text', () => {
    const refused = { count: 0, taken: 0 }
    const junk = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom(
        '"',
        '-',
        '0',
        '9'.repeat(20),
        '.',
        'e5',
        '\\u0041',
        '\u0000',
        '\u007f',
        'é',
        '","x":"',
        '}',
      ),
    )
    const mutated = fc
      .tuple(plainQuotes, fc.nat(), fc.nat({ max: 3 }), junk)
      .map(([quote, at, cut, text]) => {
        const json = textOf(quote)
        const from = at % json.length
        return json.slice(0, from) + text + json.slice(from + cut)
      })
    fc.assert(
      fc.property(mutated, json => {
        same(json)
        if (canonicalQuote(json)) refused.taken += 1
        else refused.count += 1
      }),
      { numRuns: 3_000 },
    )
    expect(refused.count).toBeGreaterThan(500)
    expect(refused.taken).toBeGreaterThan(50)
  })

  it('is left to the fields beyond the limits of each', () => {
    const [sample] = fc.sample(plainQuotes, { seed: 3, numRuns: 1 })
    const spoilt: readonly (readonly [keyof Quote, unknown])[] = [
      ['symbol', 'x'.repeat(65)],
      ['sourceId', 'x'.repeat(129)],
      ['runId', 'x'.repeat(257)],
      ['rawRef', 'x'.repeat(513)],
      ['price', '9'.repeat(81)],
      ['price', '-1'],
      ['price', '01'],
      ['observedAt', 9_999_999_999_999_998],
      ['credits', 9_007_199_254_740_992],
      ['provider', 'x'.repeat(33)],
      ['currency', 'x'.repeat(21)],
    ]
    for (const [field, value] of spoilt) {
      const json = textOf({ ...sample, [field]: value } as Quote)
      expect(canonicalQuote(json), `${field} ${String(value)}`).toBeUndefined()
      expect(byFields(json), `${field} ${String(value)}`).toBeUndefined()
    }
  })
})
