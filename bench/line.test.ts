import { describe, expect, it } from 'vitest'
import { median } from './line.ts'
import { aaLine, ratioOf } from './stack/rounds.ts'

describe('the figures of the benches', () => {
  it.each([
    [[], 0],
    [[3], 3],
    [[3, 1, 2], 2],
    [[10, 1, 2, 3], 2.5],
  ])('the middle of %j is %d', (values, middle) => expect(median(values)).toBe(middle))

  it('compare within a round, with the mean of the loops of that round', () => {
    expect(ratioOf([10, 40, 30, 20], [10, 20, 10, 10], [10, 20, 20, 10])).toEqual({
      median: 2,
      least: 1,
      greatest: 2,
    })
  })
  it('are void where the loop differs from itself by more than 3 %', () => {
    expect(aaLine('a', ratioOf([102.9], [100])).ok).toBe(true)
    expect(aaLine('a', ratioOf([104], [100])).ok).toBe(false)
    expect(aaLine('a', ratioOf([96], [100])).ok).toBe(false)
  })
})
