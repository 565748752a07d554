import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../core/brands.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { ageOf } from './age.ts'

const now = EpochMicros(1_700_000_000_000_000)
const tolerance = { intervals: 3, atLeastMs: 5 * MINUTE }
const ago = (ms: number) => addMs(now, -ms)
const look = (intervalMs: number, answered: EpochMicros | null, failingSince: EpochMicros | null = null) =>
  ageOf({ answered, failingSince }, { intervalMs }, tolerance, now)

describe('the age of the newest answer', () => {
  it('is too much beyond three intervals, and not at them', () => {
    expect(look(15 * MINUTE, ago(45 * MINUTE)).isStale).toBe(false)
    expect(look(15 * MINUTE, ago(45 * MINUTE + 1))).toMatchObject({
      isStale: true,
      ageMs: 45 * MINUTE + 1,
      staleAfterMs: 45 * MINUTE,
    })
  })
  it('is never too much below the least, however short the interval', () => {
    expect(look(1_000, ago(5 * MINUTE)).isStale).toBe(false)
    expect(look(1_000, ago(5 * MINUTE + 1)).isStale).toBe(true)
  })
  it('counts from the first try where there never was an answer', () => {
    expect(look(MINUTE, null, ago(MINUTE))).toMatchObject({ isStale: false, answeredAt: null, ageMs: MINUTE })
    expect(look(MINUTE, null, ago(6 * MINUTE)).isStale).toBe(true)
  })
  it('is stale where nothing was ever tried', () => {
    expect(look(MINUTE, null)).toMatchObject({ isStale: true, ageMs: null })
  })
  it('is not below nothing for a period that began by another clock', () => {
    expect(look(MINUTE, addMs(now, 1_000)).ageMs).toBe(0)
  })
})
