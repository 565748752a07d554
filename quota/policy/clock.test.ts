import { describe, expect, it } from 'vitest'
import { addMs, DAY, MINUTE, parseIso, SECOND } from '../../core/time.ts'
import { agreementOf, agreesWithin, type ClockStamp, isNewBase, movedMs } from './clock.ts'

const start = parseIso('2026-11-21T12:00:00Z')
const withinMs = 30 * SECOND
const stampAt = (monotonicMs: number, wallMs = monotonicMs, boot = 'a'): ClockStamp => ({
  boot,
  monotonicMs,
  wallAt: addMs(start, wallMs),
})

describe('what two looks at the clocks of a host tell', () => {
  it('sees how far the wall clock was set, forward or back, whoever looked before', () => {
    expect(movedMs(stampAt(5_000), stampAt(65_000))).toBe(0)
    expect(movedMs(stampAt(5_000), stampAt(6_000, 126_000))).toBe(2 * MINUTE)
    expect(movedMs(stampAt(MINUTE), stampAt(2 * MINUTE, 0))).toBe(-2 * MINUTE)
    expect(movedMs(null, stampAt(5_000, DAY))).toBe(0)
  })

  it('compares nothing over a boot, by its name or by a monotonic time that is less', () => {
    expect(isNewBase(stampAt(9_000), stampAt(10_000, 10_000, 'b'))).toBe(true)
    expect(isNewBase(stampAt(9_000), stampAt(2_000, DAY))).toBe(true)
    expect(movedMs(stampAt(9_000), stampAt(2_000, DAY))).toBe(0)
    expect(isNewBase(stampAt(9_000), stampAt(8_500))).toBe(false)
    expect(isNewBase(null, stampAt(1))).toBe(false)
  })
})

describe('a Date that agreed', () => {
  const agreed = agreementOf(addMs(start, 20 * SECOND), start, stampAt(0), withinMs)

  it('is carried on by the monotonic clock, with room for its drift', () => {
    expect(agreesWithin(agreed, stampAt(0), withinMs)).toBe(0)
    expect(agreesWithin(agreed, stampAt(DAY), withinMs)).toBe(DAY / 5_000)
  })

  it('ends where our clock is set away from the provider, and holds where it is set nearer', () => {
    expect(agreesWithin(agreed, stampAt(MINUTE, MINUTE - 11 * SECOND), withinMs)).toBeNull()
    expect(agreesWithin(agreed, stampAt(MINUTE, MINUTE + 20 * SECOND), withinMs)).not.toBeNull()
    expect(agreesWithin(agreed, stampAt(MINUTE, MINUTE + 51 * SECOND), withinMs)).toBeNull()
  })

  it('does not outlive a boot, and there is none for a Date that is too far off', () => {
    expect(agreesWithin(agreed, stampAt(1_000, 1_000, 'b'), withinMs)).toBeNull()
    expect(agreesWithin(null, stampAt(0), withinMs)).toBeNull()
    expect(agreementOf(addMs(start, 31 * SECOND), start, stampAt(0), withinMs)).toBeNull()
  })
})
