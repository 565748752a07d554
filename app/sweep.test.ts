import { describe, expect, it } from 'vitest'
import type { Outcome } from '../core/outcomes.ts'
import { outcomes } from '../core/outcomes.ts'
import type { PageResult } from '../collectors/poll-types.ts'
import { outcomeOrder, worst } from './sweep.ts'

const page = (outcome: Outcome): PageResult =>
  ({ slot: 's', outcome, reason: `because ${outcome}`, runId: 'r', credits: 0, records: 0 }) as PageResult

describe('the one outcome of a sweep', () => {
  it('ranks every outcome of the closed list, once', () => {
    expect(new Set<string>(outcomeOrder)).toEqual(new Set(Object.keys(outcomes)))
    expect(outcomeOrder).toHaveLength(Object.keys(outcomes).length)
  })
  it('is the worst of its pages, whatever their order, and says of how many', () => {
    for (const [rank, bad] of outcomeOrder.entries())
      for (const good of outcomeOrder.slice(rank + 1)) {
        const reason = `because ${bad} (1 of 2 pages)`
        expect(worst([page(good), page(bad)])).toEqual({ outcome: bad, reason })
        expect(worst([page(bad), page(good)])).toEqual({ outcome: bad, reason })
      }
  })
  it('keeps what a person must mend above what time mends, and both above what went well', () => {
    const rank = (outcome: Outcome): number => outcomeOrder.indexOf(outcome)
    const exits = (exit: number): number[] =>
      (Object.keys(outcomes) as Outcome[]).filter(o => outcomes[o].exit === exit).map(rank)
    expect(Math.max(...exits(2))).toBeLessThan(Math.min(...exits(1)))
    expect(Math.max(...exits(1))).toBeLessThan(Math.min(...exits(0)))
  })
  it('is its only page, word for word', () => {
    expect(worst([page('collected')])).toEqual({ outcome: 'collected', reason: 'because collected' })
    expect(worst([]).outcome).toBe('source-disabled')
  })
})
