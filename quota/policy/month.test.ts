import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lateMs } from './constants.ts'
import { type Faults, MonthBorder, simLimits } from './month.sim.ts'
import { type QuotaPolicy, quotaPolicy } from './policy.ts'

const calm: Faults = { crashes: 0, lostAnswers: 0, chargedErrors: 0, uncharged: 0, foreign: 0 }
const rough: Faults = { crashes: 0.1, lostAnswers: 0.05, chargedErrors: 0.02, uncharged: 0.03, foreign: 0 }
const seeds = Array.from({ length: 60 }, (_, i) => i + 1)

/** The fifth row of the table in docs: a stale reservation is dropped, since "the reconcile will find the charge anyway". */
const dropsStale: QuotaPolicy = {
  ...quotaPolicy,
  advance: (state, context) => {
    const isFresh = (r: { deadline: number }) => context.now <= r.deadline + lateMs(context.constants) * 1_000
    return quotaPolicy.advance({ ...state, open: state.open.filter(isFresh) }, context)
  },
}

describe('a month with more demand than quota', () => {
  it('never passes a limit, whatever crashes, is lost or is charged without an answer (P1-P3, P5)', () => {
    const runs = seeds.map(seed => new MonthBorder(quotaPolicy, rough, seed).run())
    expect(runs.flatMap(r => r.broken)).toEqual([])
    expect(runs.reduce((sum, r) => sum + r.crashed, 0)).toBeGreaterThan(300)
  })

  it('wastes nearly nothing where the provider tells its usage (P4)', () => {
    const used = seeds.slice(0, 20).flatMap(seed => new MonthBorder(quotaPolicy, rough, seed).run().used)
    const limit = (simLimits.creditsPerMonth ?? 0) * used.length
    expect(used.reduce((a, b) => a + b, 0) / limit).toBeGreaterThan(0.995)
  })

  it('stays within the limit beside another program that stays within the guard', () => {
    const foreign = { ...calm, foreign: 2 }
    const runs = seeds.slice(0, 30).map(seed => new MonthBorder(quotaPolicy, foreign, seed).run())
    expect(runs.flatMap(r => r.broken)).toEqual([])
  })

  it('regression: a stale reservation that is dropped, not charged, is found out', () => {
    const runs = seeds.map(seed => new MonthBorder(dropsStale, rough, seed).run())
    const over = runs.filter(r => r.broken.some(what => what.startsWith('P1')))
    expect(over.length).toBeGreaterThan(0)
  })

  it('holds for any mixture of faults and any seed', () => {
    const share = fc.double({ min: 0, max: 0.2, noNaN: true })
    const faults = fc.record({
      crashes: share,
      lostAnswers: share,
      chargedErrors: share,
      uncharged: fc.constant(0.05),
      foreign: fc.constant(0),
    })
    fc.assert(
      fc.property(faults, fc.integer(), (mixture, seed) => {
        expect(new MonthBorder(quotaPolicy, mixture, seed).run().broken).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  it('is not a test that passes without calls', () => {
    const { used } = new MonthBorder(quotaPolicy, calm, 1).run()
    expect(used[0]).toBe(100)
  })
})
