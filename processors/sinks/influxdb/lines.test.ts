import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Lines } from './lines.ts'
import type { SentLine } from './lines.ts'

const sentLines: fc.Arbitrary<SentLine[]> = fc.array(
  fc.record({
    line: fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }).map(text => text.replaceAll('\n', ' ')),
      fc.constantFrom('x'.repeat(70_000), '€'.repeat(30_000)),
    ),
    at: fc.nat(),
    record: fc.option(fc.nat(), { nil: undefined }),
  }),
  { maxLength: 30 },
)

it('gives back every line with its time and record, and all as one text', () => {
  fc.assert(
    fc.property(sentLines, sent => {
      const wellFormed = sent.filter(({ line }) => line.isWellFormed())
      const lines = Lines.of(wellFormed)
      expect(lines.places.map(place => lines.at(place))).toEqual(wellFormed)
      expect(lines.length).toBe(wellFormed.length)
      expect(lines.text()).toBe(wellFormed.map(({ line }) => line).join('\n'))
      const known = wellFormed.flatMap(({ record }) => (record === undefined ? [] : [record]))
      expect(lines.records).toEqual(known)
    }),
  )
})

it('has no line where there is none', () => {
  const lines = Lines.of([{ line: 'm v=1 1', at: 1 }])
  expect(() => lines.at(1)).toThrow('there is no line 1')
  expect(new Lines().text()).toBe('')
})
