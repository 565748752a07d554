import { describe, expect, it } from 'vitest'
import { minute } from './judge.contract.ts'
import { judgeDefaults } from './defaults.ts'
import { SourceClock } from './source-clock.ts'

/** A clock that was asked each minute for half a day, and stepped each time: ten seconds behind. */
function known(): SourceClock {
  const clock = new SourceClock(minute(0 - 1 / 6), minute(0), judgeDefaults)
  for (let n = 1; n < 720; n += 1) clock.observe(minute(n - 1 / 6), minute(n), true)
  return clock
}
/** First minute after noon + 12 h at which the clock is doubted, asked each minute. */
function doubtedAfter(clock: SourceClock, observed: (n: number) => number, isChanged: boolean): number {
  for (let n = 720; n < 2_000; n += 1) {
    clock.observe(minute(observed(n)), minute(n), isChanged)
    if (clock.doubt(minute(n)) !== undefined) return n - 720
  }
  return Number.POSITIVE_INFINITY
}

describe('the clock of a source', () => {
  it('is believed while it goes, and a little behind', () => {
    expect(doubtedAfter(known(), n => n - 1 / 6, true)).toBe(Number.POSITIVE_INFINITY)
    expect(doubtedAfter(known(), n => n - 9, true)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is doubted where it stands', () => {
    expect(doubtedAfter(known(), () => 719, false)).toBeLessThan(15)
  })

  it('is doubted where it goes far behind, and not where a cache gives an old answer now and then', () => {
    expect(doubtedAfter(known(), n => n - 120, false)).toBeLessThan(5)
    expect(doubtedAfter(known(), n => (n % 2 === 0 ? n - 1 : n - 9), false)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is doubted by its late steps, and by prices that move beside it, long before its lag is longer than ever', () => {
    /** It stood for 300 minutes at first, which is long before it was known. */
    const longLag = (): SourceClock => {
      const clock = new SourceClock(minute(0), minute(0), judgeDefaults)
      for (let n = 1; n < 720; n += 1) clock.observe(minute(n < 300 ? 0 : n), minute(n), n >= 300)
      return clock
    }
    expect(doubtedAfter(longLag(), n => n - 120, true)).toBeLessThan(5)
    expect(doubtedAfter(longLag(), () => 719, true)).toBeLessThan(20)
    expect(doubtedAfter(longLag(), () => 719, false)).toBeGreaterThan(200)
  })

  it('is not late after a pause of ours, whose length explains the lag, nor when it comes back from a lie', () => {
    const clock = known()
    // Three pauses of an hour, each ended by a value of half an hour ago.
    for (const n of [780, 841, 902]) {
      clock.observe(minute(n - 30), minute(n), true)
      expect(clock.doubt(minute(n))).toMatch(/^lies 30 min behind/)
      clock.observe(minute(n + 1), minute(n + 1), true)
      expect(clock.doubt(minute(n + 1))).toBeUndefined()
    }
  })
})
