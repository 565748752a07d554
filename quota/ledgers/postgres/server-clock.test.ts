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
  /** Hosts whose monotonic clocks stand still, and for how long each did. */
  readonly #asleep = new Set<string>()
  readonly #sleptMs = new Map<string, number>()

  pass(ms: number): void {
    this.atMs += ms
    for (const host of this.#asleep) this.#sleptMs.set(host, (this.#sleptMs.get(host) ?? 0) + ms)
  }

  suspend(host: string): void {
    this.#asleep.add(host)
  }

  /** Whether a jump was told. Who looks is awake. */
  tells(host: string): boolean {
    this.#asleep.delete(host)
    const { jumpedMs } = this.record
    this.look(host)
    return this.record.jumpedMs !== jumpedMs
  }

  look(host: string, pausedMs = 0) {
    const bootAt = this.#boots.get(host) ?? -1_000 * host.charCodeAt(0)
    this.#boots.set(host, bootAt)
    const wallAt = EpochMicros((startMs + this.atMs + this.serverOffMs) * 1_000)
    const beforeMs = this.atMs - bootAt - (this.#sleptMs.get(host) ?? 0)
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
          const { jumpedMs } = world.record
          const stamp = world.look(host)
          const extraMs = stamp.monotonicMs - last.monotonicMs - passMs
          // Sets by less than the limit are not told; each host may have missed some that another one saw.
          const told = steps
            .filter(s => Math.abs(s.setMs) <= jumpMs)
            .reduce((sum, s) => sum + Math.abs(s.setMs), 0)
          expect(Math.abs(extraMs)).toBeLessThanOrEqual(jumpMs + told + 5)
          // While others did not look since, what is told may have been a suspension of this host, and a jump back its end.
          if (world.record.jumpedMs !== jumpedMs) for (const each of ['a', 'b', 'c']) world.look(each)
          last = world.look(host)
        }
      }),
      { numRuns: 300, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    )
  })
})

describe('hosts that are suspended, whose monotonic clocks stand still', () => {
  const both = (world: World): readonly boolean[] => ['b', 'a', 'b', 'a', 'b', 'a'].map(h => world.tells(h))
  const quiet = [false, false, false, false, false, false]

  it('are no jump of the server where another host looked all the time', () => {
    const world = new World()
    for (const host of ['b', 'a']) world.look(host)
    world.suspend('a')
    for (let minute = 0; minute < 60; minute += 1) {
      world.pass(MINUTE)
      expect(world.tells('b')).toBe(false)
    }
    world.pass(30 * SECOND)
    expect([world.tells('a'), world.record.jumpedMs]).toEqual([false, 0])
    expect(both(world)).toEqual(quiet)
    // The server's own jump is still told, once.
    world.serverOffMs += 5 * MINUTE
    expect(both(world)).toEqual([true, ...quiet.slice(1)])
  })

  it.each([HOUR, 61 * SECOND])('are told once, where nobody can tell, and never undone (%d ms)', forMs => {
    const world = new World()
    for (const host of ['a', 'b', 'c']) world.look(host)
    world.suspend('a')
    world.pass(forMs + MINUTE)
    expect(world.tells('a')).toBe(true)
    for (let turn = 0; turn < 5; turn += 1) {
      expect(both(world)).toEqual(quiet)
      world.pass(MINUTE)
    }
    expect(world.tells('c')).toBe(false)
  })

  it('hide no jump that came after what the other host saw', () => {
    const world = new World()
    for (const host of ['b', 'a']) world.look(host)
    world.suspend('a')
    world.pass(HOUR)
    world.look('b')
    world.serverOffMs += 2 * MINUTE
    expect(world.tells('a')).toBe(true)
    expect(both(world)).toEqual(quiet)
  })

  it('does not take the word of a host that began to look later, or was away itself', () => {
    const world = new World()
    for (const host of ['b', 'a']) world.look(host)
    world.suspend('b')
    world.pass(MINUTE)
    world.serverOffMs += HOUR
    world.look('new')
    world.record = { ...world.record, hosts: world.record.hosts.filter(({ boot }) => boot !== 'b') }
    world.look('b')
    world.pass(SECOND)
    expect(world.tells('a')).toBe(true)
    expect(['new', 'b', 'a'].map(host => world.tells(host))).toEqual([false, false, false])
  })

  it.each([HOUR, -HOUR])('a jump of the server by %d ms is told once to all, whoever looks first', byMs => {
    for (const order of ['ab', 'ba']) {
      const world = new World()
      for (let turn = 0; turn < 4; turn += 1) {
        for (const host of ['a', 'b']) world.look(host)
        world.pass(MINUTE)
      }
      world.serverOffMs += byMs
      expect([...order, ...order].map(host => world.tells(host))).toEqual([true, false, false, false])
      expect(Math.abs(world.record.jumpedMs - byMs)).toBeLessThan(SECOND)
    }
  })

  const host = fc.constantFrom('a', 'b', 'c')
  const happening = fc.oneof(
    fc.record({ what: fc.constant('look' as const), host }),
    fc.record({ what: fc.constant('suspend' as const), host }),
    fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2 * HOUR }) }),
    fc.record({ what: fc.constant('set' as const), ms: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }) }),
  )

  it('are told no more often than something happened, and then all is quiet', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), happenings => {
        const world = new World()
        for (const each of ['a', 'b', 'c']) world.look(each)
        let told = 0
        for (const one of happenings) {
          if (one.what === 'look') told += Number(world.tells(one.host))
          else if (one.what === 'suspend') world.suspend(one.host)
          else if (one.what === 'pass') world.pass(one.ms)
          else world.serverOffMs += one.ms
        }
        const round = (): number => ['a', 'b', 'c'].filter(each => world.tells(each)).length
        for (let again = round(); again > 0 && told < 100; again = round()) told += again
        const count = (some: string): number => happenings.filter(({ what }) => what === some).length
        // What comes while another one is in doubt may be told in two parts, a jump as well as a suspension.
        expect(told).toBeLessThanOrEqual(2 * (count('suspend') + count('set')))
        for (const each of ['c', 'b', 'a', 'c', 'a']) {
          world.pass(MINUTE)
          expect(world.tells(each)).toBe(false)
        }
      }),
      { numRuns: 1_000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    )
  })
})
