import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { HOUR, MINUTE, SECOND } from '../../../core/time.ts'
import { isNewBase, movedMs } from '../../policy/clock.ts'
import { type ClockRecord, decodeClock, lookedAt, noClockYet } from './server-clock.ts'

const jumpMs = 60 * SECOND
const startMs = 1_795_000_000_000

/** A server and hosts that all live in one real time, in milliseconds. */
class World {
  record: ClockRecord = noClockYet
  atMs = 0
  serverOffMs = 0
  startedAt = 'first'
  /** Real time at which each host's monotonic clock began. */
  readonly #boots = new Map<string, number>()

  look(host: string, pausedMs = 0) {
    const bootAt = this.#boots.get(host) ?? -1_000 * host.charCodeAt(0)
    this.#boots.set(host, bootAt)
    const wallAt = EpochMicros((startMs + this.atMs + this.serverOffMs) * 1_000)
    const beforeMs = this.atMs - bootAt
    const look = { wallAt, startedAt: this.startedAt, boot: host, beforeMs, afterMs: beforeMs + pausedMs }
    const { record, stamp } = lookedAt(this.record, look, jumpMs)
    this.record = decodeClock(JSON.stringify(record))
    return stamp
  }
}

describe("the server's clock, as several hosts see it", () => {
  it('is one time base for all of them, however different their own is', () => {
    const world = new World()
    const first = world.look('a')
    for (const host of ['b', 'a', 'c', 'b', 'a']) {
      world.atMs += 10 * MINUTE
      const stamp = world.look(host)
      expect([isNewBase(first, stamp), movedMs(first, stamp)]).toEqual([false, 0])
    }
  })

  it.each([2 * MINUTE, -2 * MINUTE, 40 * 24 * HOUR])(
    'tells a jump of %d ms once, to whomever asks next',
    byMs => {
      const world = new World()
      world.look('a')
      const before = world.look('b')
      world.atMs += MINUTE
      world.serverOffMs += byMs
      const seen = world.look('b')
      expect(movedMs(before, seen)).toBeCloseTo(byMs, -2)
      world.atMs += MINUTE
      for (const host of ['a', 'b', 'new']) expect(movedMs(seen, world.look(host))).toBe(0)
      // A scope that nobody looked at meanwhile hears of it from any host.
      expect(movedMs(before, world.look('a'))).toBeCloseTo(byMs, -2)
    },
  )

  it('takes a host that was paused for no jump, and small corrections neither', () => {
    const world = new World()
    const before = world.look('a', 5 * MINUTE)
    world.atMs += 6 * MINUTE
    const after = world.look('a', 9 * MINUTE)
    world.serverOffMs += 30 * SECOND
    expect([movedMs(before, after), movedMs(after, world.look('a'))]).toEqual([0, 0])
  })

  it('goes on over a restart of the server where a host can tell how long it took, and only there', () => {
    const world = new World()
    const before = world.look('a')
    world.atMs += MINUTE
    world.startedAt = 'second'
    expect(isNewBase(before, world.look('a'))).toBe(false)
    world.startedAt = 'third'
    const unknown = world.look('nobody knows it')
    expect(isNewBase(before, unknown)).toBe(true)
    expect(isNewBase(unknown, world.look('a'))).toBe(false)
  })

  it('never shows steady time that goes on faster than the real one by more than what is told as no jump', () => {
    const step = fc.record({
      host: fc.constantFrom('a', 'b', 'c'),
      passMs: fc.integer({ min: 0, max: HOUR }),
      setMs: fc.oneof(fc.constant(0), fc.integer({ min: -HOUR, max: HOUR })),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const world = new World()
        for (const host of ['a', 'b', 'c']) world.look(host)
        let last = world.look('a')
        for (const { host, passMs, setMs } of steps) {
          world.atMs += passMs
          world.serverOffMs += setMs
          const stamp = world.look(host)
          const extraMs = stamp.monotonicMs - last.monotonicMs - passMs
          // Sets by less than the limit are not told; each host may have missed some that another one saw.
          const told = steps
            .filter(s => Math.abs(s.setMs) <= jumpMs)
            .reduce((sum, s) => sum + Math.abs(s.setMs), 0)
          expect(Math.abs(extraMs)).toBeLessThanOrEqual(jumpMs + told + 5)
          last = stamp
        }
      }),
    )
  })
})
