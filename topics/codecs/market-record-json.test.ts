import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MarketRecord } from '../../core/records.ts'
import {
  consensuses,
  gaps,
  marketRecords,
  metrics,
  servings,
  sourceFlags,
} from '../market-records.contract.ts'
import { marketRecordJson } from './market-record-json.ts'

const utf8 = new TextEncoder()
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const jsonOf = (record: MarketRecord) => JSON.parse(text(marketRecordJson.encode(record)))
const one = <R>(records: fc.Arbitrary<R>): R => fc.sample(records, { seed: 7, numRuns: 1 })[0]!
const samples = {
  metric: { ...one(metrics), currency: 'USD' },
  gap: one(gaps),
  'source-flag': one(sourceFlags),
  consensus: one(consensuses.filter(c => c.sources.length > 1)),
  serving: one(servings.filter(s => s.provider !== null && s.skipped.length > 0)),
} as const
const spoilt = (kind: keyof typeof samples, change: Record<string, unknown>): Uint8Array =>
  utf8.encode(JSON.stringify({ ...jsonOf(samples[kind]), ...change }))
const refusal = (path: string) =>
  expect.objectContaining({ code: 'CRY_RECORD_INVALID', message: expect.stringContaining(`${path}:`) })

/** The same, put together in another order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([k, v]) => [k, reversed(v)]),
  )
}

describe('the codec of market records', () => {
  it('gives back every record with every digit, one record always as the same bytes', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(marketRecords, record => {
        seen.add(record.kind)
        const bytes = marketRecordJson.encode(record)
        expect(isDeepStrictEqual(marketRecordJson.decode(bytes), record)).toBe(true)
        expect(text(marketRecordJson.encode(reversed(record) as MarketRecord))).toBe(text(bytes))
      }),
      { numRuns: 500 },
    )
    expect(seen.size).toBe(5)
  })

  const wrong: readonly (readonly [keyof typeof samples, string, unknown])[] = [
    ['metric', 'kind', 'quote'],
    ['metric', 'provider', 'Kraken|x'],
    ['metric', 'name', 'price'],
    ['metric', 'currency', 'US|D'],
    ['metric', 'value', 12.5],
    ['metric', 'value', '1e400'],
    ['metric', 'observedAt', 1.5],
    ['metric', 'observedBy', 'nobody'],
    ['metric', 'credits', -1],
    ['gap', 'dataset', 'a|b'],
    ['gap', 'asset', 'BTC'],
    ['gap', 'expectedAt', -1],
    ['gap', 'state', 'lost'],
    ['gap', 'reason', 'x'.repeat(2_001)],
    ['gap', 'revision', 0.5],
    ['source-flag', 'flag', 'toString'],
    ['source-flag', 'since', '0'],
    ['source-flag', 'evidence', null],
    ['source-flag', 'origin', 'moon'],
    ['consensus', 'symbol', 'BT\nC'],
    ['consensus', 'price', '-1'],
    ['consensus', 'mad', '-0.1'],
    ['consensus', 'spreadPercent', ''],
    ['consensus', 'isDivergent', 0],
    ['consensus', 'sources', {}],
    ['serving', 'role', 'index'],
    ['serving', 'at', null],
    ['serving', 'provider', ''],
    ['serving', 'price', null],
    ['serving', 'skipped', 'none'],
  ]
  it.each(wrong)('names the first wrong field of a %s: %s %j', (kind, field, value) => {
    expect(() => marketRecordJson.decode(spoilt(kind, { [field]: value }))).toThrow(refusal(`$.${field}`))
  })

  it('refuses every record with a field missing', () => {
    for (const [kind, sample] of Object.entries(samples))
      for (const field of Object.keys(jsonOf(sample)).filter(f => `${kind}.${f}` !== 'metric.currency'))
        expect(
          () => marketRecordJson.decode(spoilt(kind as keyof typeof samples, { [field]: undefined })),
          `${kind}.${field}`,
        ).toThrow(refusal(`$.${field}`))
  })

  it('names the place of what is wrong inside a list, and a source that is there twice', () => {
    const { sources } = jsonOf(samples.consensus)
    const second = (change: object) =>
      spoilt('consensus', { sources: [sources[0], { ...sources[1], ...change }] })
    const cases: readonly (readonly [object, string])[] = [
      [{ price: '-1' }, 'price'],
      [{ price: undefined }, 'price'],
      [{ ageMs: 0.5 }, 'ageMs'],
      [{ excluded: undefined }, 'excluded'],
      [{ provider: sources[0].provider }, 'provider'],
    ]
    for (const [change, field] of cases)
      expect(() => marketRecordJson.decode(second(change)), field).toThrow(refusal(`$.sources[1].${field}`))
    expect(() => marketRecordJson.decode(spoilt('consensus', { sources: [7] }))).toThrow(
      refusal('$.sources[0]'),
    )
    expect(() => marketRecordJson.decode(spoilt('serving', { skipped: [{ provider: 'kraken' }] }))).toThrow(
      refusal('$.skipped[0].why'),
    )
    const many = Array.from({ length: 101 }, (_, i) => ({ ...sources[0], provider: `p${i}` }))
    expect(() => marketRecordJson.decode(spoilt('consensus', { sources: many }))).toThrow(
      refusal('$.sources'),
    )
  })

  it('takes nobody who serves, but no price of nobody', () => {
    const nobody = { provider: null, price: null, observedAt: null }
    expect(marketRecordJson.decode(spoilt('serving', nobody))).toMatchObject(nobody)
    expect(() => marketRecordJson.decode(spoilt('serving', { ...nobody, price: '1' }))).toThrow(
      refusal('$.price'),
    )
    const proto = text(spoilt('serving', { ...nobody, provider: undefined })).slice(1)
    expect(() => marketRecordJson.decode(utf8.encode(`{"__proto__":{"provider":null},${proto}`))).toThrow(
      refusal('$.provider'),
    )
  })

  it('never throws anything but CRY_RECORD_INVALID, whatever the bytes', () => {
    const mutated = fc.tuple(marketRecords, fc.nat(), fc.string({ maxLength: 5 })).map(([r, where, junk]) => {
      const json = text(marketRecordJson.encode(r))
      const cut = where % json.length
      return utf8.encode(json.slice(0, cut) + junk + json.slice(cut + junk.length))
    })
    let refusals = 0
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array()), bytes => {
        try {
          marketRecordJson.decode(bytes)
        } catch (error) {
          refusals += 1
          expect(error).toMatchObject({ code: 'CRY_RECORD_INVALID' })
        }
      }),
      { numRuns: 500 },
    )
    expect(refusals).toBeGreaterThan(200)
  })
})
