import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { EventDraft } from '../../policy/events.ts'
import { EventRow, eventsOf } from './event-row.ts'

const slotText = fc.oneof(
  fc.integer({ min: 0, max: 1_200 }).map(page => `kraken/ticker/2026-11-21T12:00:00.000Z/${page}`),
  fc.string({ maxLength: 12, unit: 'binary' }),
)
const draft = fc.record({
  what: fc.constantFrom('reserved', 'settled', 'denied'),
  why: fc.string({ maxLength: 9 }),
  credits: fc.nat(9),
  slot: fc.option(slotText, { nil: undefined }),
  window: fc.constantFrom('month', 'day'),
  limit: fc.option(fc.nat(3)),
  used: fc.nat(),
  reserved: fc.nat(),
  resetsAt: fc.option(fc.nat(3).map(EpochMicros)),
})
const told = fc.record({
  draft,
  scope: fc.constantFrom('key:a', 'ip:b'),
  at: fc.integer({ min: 0, max: 3 }).map(EpochMicros),
})

describe('a row of events', () => {
  it('gives back every event as it was told, under its own sequence', () => {
    fc.assert(
      fc.property(fc.array(told, { minLength: 1, maxLength: 20 }), all => {
        const row = new EventRow()
        const provider = ProviderId('kraken')
        const wanted = all.map(({ draft: { slot, ...rest }, scope, at }, index) => {
          const event = { ...rest, ...(slot ? { slot } : {}) } as EventDraft
          row.add(event, { scope, provider }, at)
          return { ...event, kind: 'quota-event', ledger: 'l', sequence: 41 + index, scope, provider, at }
        })
        expect(eventsOf('l', { sequence: 40 + all.length, body: row.encode() })).toEqual(wanted)
      }),
    )
  })
})
