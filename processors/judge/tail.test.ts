import { describe, expect, it } from 'vitest'
import { judgeDefaults } from './defaults.ts'
import { Longest, tailTimes } from './tail.ts'

describe('the tail of what is known', () => {
  it('needs less beyond the longest, the more was seen, within bounds', () => {
    const times = [0, 10, 100, 1_000, 10_000, 1e9].map(n => tailTimes(n, judgeDefaults.tail))
    expect(times.map(t => Number(t.toFixed(2)))).toEqual([6, 6, 4.5, 3, 2.5, 2.5])
  })

  it('is measured at the second longest, and nothing is too long that was there before', () => {
    const longest = new Longest(1)
    for (const ms of [10, 8, 12, 500, 9]) longest.learn(ms, false)
    expect([longest.value, longest.limit(3), longest.limit(100)]).toEqual([500, 500, 1_200])
  })

  it('learns little from what was doubted, but something', () => {
    const longest = new Longest(10)
    longest.learn(1_000, true)
    expect(longest.value).toBe(15)
    longest.learn(1_000, true)
    expect(longest.value).toBe(22.5)
    longest.learn(20, true)
    expect([longest.value, longest.limit(2)]).toEqual([22.5, 40])
  })
})
