import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros, ProviderId } from '../../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso } from '../../core/time.ts'
import { defaultConstants } from './constants.ts'
import { longerPause, maxPauseMs, movedPause } from './pause.ts'
import { quotaPolicy } from './policy.ts'
import { decodeState, encodeState, newScope, type ScopeState } from './state.ts'

const start = parseIso('2026-11-21T12:00:00Z')
const limits = { plan: 'x', creditsPerMonth: null, creditsPerDay: null, callsPerMinute: 1_000_000 }
const fresh = newScope(
  { scope: 'ip:h', provider: ProviderId('binance'), limits, hasUsage: false, owned: true },
  start,
)

/** A client that lives through the steps: at each the clocks move, it asks, and where it may call the provider may refuse it. */
interface Step {
  readonly passMs: number
  readonly jumpMs: number
  readonly refuseMs: number | null
}
const steps = fc.array(
  fc.record({
    passMs: fc.integer({ min: 0, max: 3 * HOUR }),
    jumpMs: fc.oneof(fc.constant(0), fc.integer({ min: -9 * DAY, max: 9 * DAY })),
    refuseMs: fc.option(fc.integer({ min: -HOUR, max: 9 * DAY })),
  }),
  { minLength: 1, maxLength: 30 },
)

interface Asked {
  readonly trueMs: number
  readonly granted: boolean
  /** By the provider's own clock; a jump of less than a minute is no jump, so each may cost that much. */
  readonly bannedUntilMs: number
  readonly slackMs: number
}

function live(all: readonly Step[]): readonly Asked[] {
  let [state, wall, trueMs, bannedUntilMs, slackMs]: [ScopeState, number, number, number, number] = [
    fresh,
    start,
    0,
    0,
    0,
  ]
  return all.map(({ passMs, jumpMs, refuseMs }, index) => {
    trueMs += passMs
    wall += (passMs + jumpMs) * 1_000
    if (Math.abs(jumpMs) <= defaultConstants.clockJumpMs) slackMs += Math.abs(jumpMs)
    const context = { now: EpochMicros(wall), jumpMs, clockAgrees: false, constants: defaultConstants }
    state = quotaPolicy.advance(state, context).state
    const reservationId = `r${index}`
    const request = { reservationId, costMax: 0, slot: null, slotRow: undefined, outboxFull: false }
    // The minute after a jump is another rule.
    const step = quotaPolicy.reserve({ ...state, jump: null }, request, context)
    state = step.state
    const asked = { trueMs, granted: step.decision.kind === 'granted', bannedUntilMs, slackMs }
    if (asked.granted && refuseMs !== null) {
      const pauseUntil = (wall + refuseMs * 1_000) as EpochMicros
      const charge = { kind: 'unknown' } as const
      state = quotaPolicy.settle(
        state,
        { reservationId, charge, why: '', answer: null, pauseUntil },
        context,
      ).state
      bannedUntilMs = Math.max(bannedUntilMs, trueMs + Math.min(refuseMs, maxPauseMs))
    }
    return asked
  })
}

describe('a pause', () => {
  it('lasts as long as the provider told by true time, however the wall clock is set', () => {
    fc.assert(
      fc.property(steps, all => {
        for (const { trueMs, granted, bannedUntilMs, slackMs } of live(all)) {
          if (granted) expect(trueMs).toBeGreaterThanOrEqual(bannedUntilMs - slackMs)
          else expect(trueMs).toBeLessThan(bannedUntilMs + slackMs)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is the longest of what was told, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -DAY, max: 20 * DAY }), { minLength: 1 }), told => {
        const pause = told.reduce<ReturnType<typeof longerPause>>(
          (before, ms) => longerPause(before, { until: addMs(start, ms), why: `${ms}` }, start),
          null,
        )
        const longest = Math.min(Math.max(...told), maxPauseMs)
        expect(pause?.until ?? null).toBe(longest > 0 ? addMs(start, longest) : null)
      }),
    )
  })

  it('lasts at most its length from a clock that is behind, where nothing else is known', () => {
    const pause = { at: start, until: addMs(start, HOUR), why: '' }
    const now = addMs(start, -400 * DAY)
    const context = { now, jumpMs: 0, clockAgrees: false, constants: defaultConstants }
    expect(movedPause(pause, context)).toMatchObject({ at: now, until: addMs(now, HOUR) })
    expect(movedPause(pause, { ...context, now: addMs(start, MINUTE) })).toEqual(pause)
  })

  it('is read from a file, and a file of a former version has none', () => {
    const pause = { at: start, until: addMs(start, HOUR), why: 'banned' }
    expect(decodeState(encodeState({ ...fresh, pause }))).toEqual({ ...fresh, pause })
    const { pause: _, ...former } = JSON.parse(encodeState(fresh)) as { pause?: unknown }
    expect(decodeState(JSON.stringify(former))).toEqual(fresh)
  })
})
