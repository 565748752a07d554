import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { addMs, HOUR, MINUTE, parseIso, SECOND, toIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { isDue, isSlotDue, type Sweep } from './gate.ts'
import { openSqliteLedger } from './ledgers/sqlite.ts'
import { plan } from './plans.ts'

const provider = ProviderId('coinmarketcap')
const noon = parseIso('2026-11-21T12:00:00Z')

describe('a slot that a scheduler names', () => {
  let dir: string
  let clock: VirtualClock
  let ledger: Ledger
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'cryptos-slot-'))
    clock = new VirtualClock(noon)
    ledger = await openSqliteLedger({ file: join(dir, 'ledger.db'), clock })
    const limits = plan('basic-2026', 15_000, null, 50)
    await ledger.openScope({ scope: 'key:0', provider, limits, hasUsage: false, owned: true }, clock.now())
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(dir, { recursive: true })
  })

  const sweepEvery = (intervalMs: number): Sweep => ({
    ...{ scope: 'key:0', provider, dataset: 'quotes' },
    wish: { refreshMs: MINUTE, intervalMs, pages: 1, costPerSweep: 0, reserveShare: 0 },
  })
  async function call(period: EpochMicros, isGood = true, more = ''): Promise<void> {
    const [now, slot] = [clock.now(), `coinmarketcap/quotes/${toIso(period)}/0.x${more}`]
    await ledger.reserve({ scope: 'key:0', reservationId: slot, costMax: Credits(0), slot, now })
    const raw = { provider, dataset: 'quotes', slot, runId: 'r', receivedAt: now, httpStatus: 200 }
    const answer = { ...raw, answerId: `${slot}#1`, body: new Uint8Array(1), context: '{}' }
    const charge = { kind: 'known', credits: Credits(0) } as const
    const how = { charge, providerDate: now, now, why: 'test', ...(isGood ? { answer } : {}) }
    await ledger.settle({ scope: 'key:0', reservationId: slot, ...how })
  }
  /** Ticks each minute that stand for the period `lagMs` before them; each that is due is called. */
  async function tick(times: number, intervalMs: number, lagMs: number): Promise<number[]> {
    const called: number[] = []
    for (let minute = 0; minute < times; minute += 1) {
      const periodStart = addMs(noon, minute * MINUTE - lagMs)
      clock.advance((addMs(noon, minute * MINUTE + 400) - clock.now()) / 1_000)
      const due = await isSlotDue(ledger, sweepEvery(intervalMs), { now: clock.now(), periodStart })
      if (due.kind !== 'due') continue
      expect(due.periodStart).toBe(periodStart)
      await call(periodStart)
      called.push(minute)
    }
    return called
  }

  it.each([0, MINUTE])(
    'keeps the pace of ticks at the full minute, that stand for one %s ms before',
    async lagMs => {
      expect(await tick(9, MINUTE, lagMs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    },
  )
  it.each([0, MINUTE])('asks every third where the pace is three minutes (%s ms before)', async lagMs => {
    expect(await tick(9, 3 * MINUTE, lagMs)).toEqual([0, 3, 6])
  })
  it('would be passed over by the planner alone, who waits for the refresh', async () => {
    await call(noon)
    clock.advance(MINUTE + 400)
    expect((await isDue(ledger, sweepEvery(MINUTE), clock.now())).kind).toBe('not-due')
  })
  it('is not due when it is older than what was answered', async () => {
    await call(addMs(noon, 5 * MINUTE))
    clock.advance(20 * MINUTE)
    const old = { now: clock.now(), periodStart: addMs(noon, 4 * MINUTE) }
    expect((await isSlotDue(ledger, sweepEvery(MINUTE), old)).kind).toBe('not-due')
  })
  it('that failed is due once more after a minute, by whichever tick comes', async () => {
    await call(addMs(noon, -10 * MINUTE))
    await call(noon, false)
    const again = async (periodStart: EpochMicros) =>
      isSlotDue(ledger, sweepEvery(10 * MINUTE), { now: clock.now(), periodStart })
    clock.advance(30 * SECOND)
    expect(await again(noon)).toMatchObject({ kind: 'not-due', isAfterFailure: true })
    clock.advance(35 * SECOND)
    for (const periodStart of [noon, addMs(noon, MINUTE)])
      expect(await again(periodStart)).toEqual({ kind: 'due', periodStart: noon })
  })
  it('whose call failed is due again when the wait is over, although its short period is over too', async () => {
    const swift = sweepEvery(30 * SECOND)
    const sweep = { ...swift, wish: { ...swift.wish, refreshMs: 30 * SECOND } }
    const again = async () => isSlotDue(ledger, sweep, { now: clock.now(), periodStart: noon })
    await call(addMs(noon, -MINUTE))
    clock.advance(5 * SECOND)
    await call(noon, false)
    const first = await again()
    expect(first).toMatchObject({ kind: 'not-due', isAfterFailure: true })
    clock.advance(first.kind === 'due' ? 0 : (first.nextAt - clock.now()) / 1_000 + 1)
    expect(await again()).toEqual({ kind: 'due', periodStart: noon })
  })
  it('is not due when it is older than the newest, that failed: runs that are cleared by the hundred pay nothing', async () => {
    await call(addMs(noon, -HOUR))
    await call(noon, false)
    clock.advance(2 * HOUR + 10 * SECOND)
    const of = async (minutes: number) => {
      const periodStart = addMs(noon, minutes * MINUTE)
      return isSlotDue(ledger, sweepEvery(MINUTE), { now: clock.now(), periodStart })
    }
    for (const minutes of [-50, -2, -1]) {
      const old = await of(minutes)
      expect(old).toMatchObject({ kind: 'not-due', reason: expect.stringMatching(/later slot .* failed/) })
      // Worth no retry: time does not mend it.
      expect(old).not.toHaveProperty('isAfterFailure')
    }
    for (const minutes of [0, 119, 120]) expect((await of(minutes)).kind).toBe('due')
  })
  it('is not due because a run by hand failed in its period, which has its answer', async () => {
    const due = async () =>
      isSlotDue(ledger, sweepEvery(10 * MINUTE), { now: clock.now(), periodStart: noon })
    await call(noon)
    await call(noon, false, '.run-1')
    clock.advance(MINUTE + 10 * SECOND)
    expect((await due()).kind).toBe('not-due')
    // A page of the period itself is tried again.
    await call(noon, false, '1')
    clock.advance(MINUTE)
    expect(await due()).toEqual({ kind: 'due', periodStart: noon })
  })
})
