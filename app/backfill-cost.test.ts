import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import type { WindowStatus } from '../core/ports/ledger.ts'
import { addMs, DAY, HOUR } from '../core/time.ts'
import { budgetOf, shortageOf } from './backfill-cost.ts'

const now = EpochMicros(1_700_000_000_000_000)
const window = (name: WindowStatus['window'], left: number | null, resetMs: number): WindowStatus => ({
  ...{ window: name, limit: left === null ? null : 1_000, used: 0, reserved: 0, left },
  resetsAt: addMs(now, resetMs),
})
const flowing = { frozen: null, pausedUntil: null, pausedWhy: null }

describe('what a backfill may spend', () => {
  it('leaves the reserve of the month alone until its last 24 hours', () => {
    const far = budgetOf({ windows: [window('month', 400, 10 * DAY)] }, 0.15, now)
    expect(far).toEqual({ left: 250, kept: 150, resetsAt: addMs(now, 10 * DAY) })
    const near = budgetOf({ windows: [window('month', 400, DAY)] }, 0.15, now)
    expect(near).toMatchObject({ left: 400, kept: 0 })
    expect(budgetOf({ windows: [window('month', 100, 10 * DAY)] }, 0.15, now)).toMatchObject({
      left: 0,
      kept: 100,
    })
  })
  it('is the narrowest window of credits; calls a minute are none', () => {
    const windows = [window('minute', 1, 0), window('day', 300, HOUR), window('month', 900, 10 * DAY)]
    expect(budgetOf({ windows }, 0.15, now)).toMatchObject({ left: 300, resetsAt: addMs(now, HOUR) })
    expect(budgetOf({ windows: [window('month', null, DAY)] }, 0.15, now).left).toBeNull()
    expect(budgetOf(undefined, 0.15, now).left).toBeNull()
  })
})

describe('why a backfill must not begin', () => {
  const budget = { left: 10, kept: 5, resetsAt: addMs(now, DAY) }
  it('only when it may cost more than is left', () => {
    expect(shortageOf(10, budget, flowing)).toBeNull()
    expect(shortageOf(11, budget, flowing)).toMatchObject({
      outcome: 'denied-by-quota',
      reason: expect.stringMatching(/may cost 11 credits, and 10 are left until 2.*beside 5 that are kept/),
      retryAt: budget.resetsAt,
    })
    expect(shortageOf(1e9, { left: null, kept: 0, resetsAt: null }, undefined)).toBeNull()
  })
  it('or when nothing may be spent at all', () => {
    expect(shortageOf(0, budget, { ...flowing, frozen: 'bill' })).toMatchObject({ outcome: 'frozen' })
    const pausedUntil = addMs(now, HOUR)
    expect(shortageOf(0, budget, { ...flowing, pausedUntil, pausedWhy: 'ban' })).toMatchObject({
      outcome: 'denied-by-quota',
      retryAt: pausedUntil,
    })
  })
})
