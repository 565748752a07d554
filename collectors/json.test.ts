import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Json, JsonArray, JsonNumber, JsonObject, parseExact } from './json.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string): Json => parseExact(bytes(text))

/** As JSON.parse would give it, numbers as floats: to compare with the engine's own parser. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text)
  if (value instanceof JsonArray) return value.items().map(plain)
  if (value instanceof JsonObject) return new Map(value.entries().map(([k, v]) => [k, plain(v)]))
  return value
}
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps)
  if (value === null || typeof value !== 'object') return value
  return new Map(Object.entries(value).map(([k, v]) => [k, asMaps(v)]))
}
const accepts = (read: () => unknown): boolean => {
  try {
    read()
    return true
  } catch {
    return false
  }
}

describe('exact JSON', () => {
  it('reads what JSON.parse reads, and the same values', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent)
        const sorted = (map: unknown): unknown => map
        expect(sorted(plain(parse(spaced)))).toEqual(asMaps(JSON.parse(spaced)))
      }),
      { numRuns: 500 },
    )
  })

  it('accepts a mutated text exactly if JSON.parse does', () => {
    const seed =
      '{"a":[1,-2.50,3e8,{"b":"x\\u00e9\\n","c":null}],"d":true,"e":false,"":"ü€","0":[],"f":{},"g":-0.1E-7}'
    fc.assert(
      fc.property(
        fc.nat(seed.length - 1),
        fc.nat(3),
        fc.constantFrom(...'{}[]",:\\u0-+.eE19tfn \n\u0001é'),
        (at, cut, put) => {
          const text = seed.slice(0, at) + put + seed.slice(at + cut)
          expect(
            accepts(() => parse(text)),
            text,
          ).toBe(accepts(() => JSON.parse(text)))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('gives the digits of the source', () => {
    const sent = [
      '1.50',
      '9.614444201187e-12',
      '48827.989730634145',
      '1000000000000000',
      '1e15',
      '-0',
      '0.10E+3',
    ]
    const read = (parse(`[${sent.join(' , ')}]`) as JsonArray).items()
    expect(read).toEqual(sent.map(text => new JsonNumber(text)))
  })

  it('tells a number from a string of the same digits', () => {
    const object = parse('{"a":1.0,"b":"1.0","c":"[","d":"{}"}') as JsonObject
    expect(object.get('a')).toEqual(new JsonNumber('1.0'))
    expect(object.get('b')).toBe('1.0')
    expect(object.get('c')).toBe('[')
    expect(object.get('d')).toBe('{}')
  })

  it('takes the last of two members with one name, and knows no special name', () => {
    const object = parse('{"a":1,"__proto__":{"x":1},"constructor":2,"a":3,"\\u0061b":4,"é":5}') as JsonObject
    expect(object.get('a')).toEqual(new JsonNumber('3'))
    expect(object.get('ab')).toEqual(new JsonNumber('4'))
    expect(object.get('é')).toEqual(new JsonNumber('5'))
    expect(object.get('__proto__')).toBeInstanceOf(JsonObject)
    expect(object.get('toString')).toBeUndefined()
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('gives every member of a name that stands twice, and knows that it does, however it is spelt', () => {
    const object = (text: string): JsonObject => parse(text) as JsonObject
    const twice = object('{"a":1,"b":2,"a":3}')
    expect(twice.members().map(([name, value]) => [name, (value as JsonNumber).text])).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ])
    const many = (names: number, last: string): string =>
      `{${Array.from({ length: names }, (_, i) => `"n${i}":{"x":[1]}`).join()},"${last}":1}`
    for (const text of ['{"a":1,"\\u0061":1}', '{"é":1,"\\u00e9":1}', '{"é":1,"é":2}', '{"":1,"":1}'])
      expect(object(text).repeatsName(), text).toBe(true)
    for (const names of [2, 63, 64, 200]) {
      expect(object(many(names, 'n1')).repeatsName()).toBe(true)
      expect(object(many(names, 'm1')).repeatsName()).toBe(false)
    }
    for (const text of [
      '{}',
      '{"a":1,"b":1}',
      '{"ab":1,"ba":1}',
      '{"a":{"x":1},"b":{"x":1}}',
      '{"\\u0061":1,"b":1}',
    ])
      expect(object(text).repeatsName(), text).toBe(false)
  })

  it('refuses bytes that are not UTF-8, too many bytes, depth and elements', () => {
    const refused = (read: () => unknown, words: RegExp): void => {
      expect(read).toThrow(expect.objectContaining({ code: 'CRY_PROVIDER_PAYLOAD' }))
      expect(read).toThrow(words)
    }
    refused(() => parseExact(Uint8Array.of(34, 0xff, 34)), /UTF-8/)
    const limits = { maxBytes: 20, maxDepth: 3, maxItems: 4 }
    refused(() => parseExact(bytes(`"${'x'.repeat(30)}"`), limits), /over 20/)
    refused(() => parseExact(bytes('[[[[]]]]'), limits), /deep/)
    expect(parseExact(bytes('[[[]]]'), limits)).toBeInstanceOf(JsonArray)
    refused(() => parseExact(bytes('[1,2,3,4,5]'), limits), /elements/)
    refused(() => parse('['.repeat(1_000_000)), /deep/)
    refused(() => parse(''), /byte 0/)
    refused(() => parse('<html>'), /byte 0/)
  })
})
