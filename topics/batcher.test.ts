import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batcher } from './batcher.ts'

const limits = fc.record({
  maxRecords: fc.integer({ min: 1, max: 20 }),
  maxBytes: fc.integer({ min: 1, max: 200 }),
  maxAgeMs: fc.integer({ min: 0, max: 100 }),
})
const items = fc.array(
  fc.record({ bytes: fc.integer({ min: 0, max: 250 }), waitMs: fc.integer({ min: 0, max: 60 }) }),
  { maxLength: 200 },
)

describe('batcher', () => {
  it('gives every item once, in order, within count and bytes, and never older than the age', () => {
    fc.assert(
      fc.property(limits, items, (limit, list) => {
        const arrived = list.map((item, id) => ({ ...item, id }))
        const batcher = new Batcher<(typeof arrived)[number]>(limit, i => i.bytes)
        const cameAtMs = new Map<number, number>()
        const out: number[] = []
        let nowMs = 0
        const accept = (batch: readonly (typeof arrived)[number][] | undefined): void => {
          if (!batch) return
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(limit.maxRecords)
          const bytes = batch.reduce((sum, i) => sum + i.bytes, 0)
          expect(bytes <= limit.maxBytes || batch.length === 1).toBe(true)
          expect(nowMs - (cameAtMs.get(batch[0]!.id) ?? 0)).toBeLessThanOrEqual(limit.maxAgeMs)
          out.push(...batch.map(i => i.id))
        }
        const settle = (untilMs: number): void => {
          for (let due = batcher.dueInMs(nowMs); due !== undefined && nowMs + due <= untilMs; ) {
            nowMs += due
            accept(batcher.due(nowMs))
            due = batcher.dueInMs(nowMs)
          }
          nowMs = untilMs
        }
        for (const item of arrived) {
          settle(nowMs + item.waitMs)
          cameAtMs.set(item.id, nowMs)
          accept(batcher.add(item, nowMs))
        }
        settle(nowMs + limit.maxAgeMs)
        expect(batcher.size).toBe(0)
        expect(out).toEqual(arrived.map(i => i.id))
      }),
    )
  })

  it('waits as long as no limit is reached', () => {
    const batcher = new Batcher<string>({ maxRecords: 3, maxBytes: 100, maxAgeMs: 50 }, s => s.length)
    expect(batcher.dueInMs(0)).toBeUndefined()
    expect(batcher.add('a', 10)).toBeUndefined()
    expect(batcher.add('b', 40)).toBeUndefined()
    expect(batcher.due(59)).toBeUndefined()
    expect(batcher.dueInMs(59)).toBe(1)
    expect(batcher.due(60)).toEqual(['a', 'b'])
    expect(batcher.take()).toBeUndefined()
  })
})
