import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { addMs, HOUR, MINUTE, parseIso, SECOND, toIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { isDue, type Sweep } from './gate.ts'
import { openSqliteLedger } from './ledgers/sqlite.ts'
import { plan } from './plans.ts'

const provider = ProviderId('coinmarketcap')
const wish = { refreshMs: MINUTE, intervalMs: MINUTE, pages: 1, costPerSweep: 1, reserveShare: 0 }
const sweep: Sweep = { scope: 'key:0', provider, dataset: 'quotes', wish }

describe('gate', () => {
  let dir: string
  let clock: VirtualClock
  let ledger: Ledger
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'cryptos-gate-'))
    clock = new VirtualClock(parseIso('2026-11-21T12:00:20Z'))
    ledger = await openSqliteLedger({ file: join(dir, 'ledger.db'), clock })
    const limits = plan('basic-2026', 15_000, null, 50)
    await ledger.openScope({ scope: 'key:0', provider, limits, hasUsage: true, owned: true }, clock.now())
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(dir, { recursive: true })
  })
  const slotAt = (time: string, page = 0) => `coinmarketcap/quotes/2026-11-21T${time}:00.000Z/${page}.x`
  const reserve = (slot: string) =>
    ledger.reserve({ scope: 'key:0', reservationId: slot, costMax: Credits(1), slot, now: clock.now() })
  const settle = (slot: string, isGood: boolean) => {
    const now = clock.now()
    const raw = { provider, dataset: 'quotes', slot, runId: 'r', receivedAt: now, httpStatus: 200 }
    const answer = { ...raw, answerId: `${slot}#1`, body: new Uint8Array(1), context: '{}' }
    const charge = { kind: 'known', credits: Credits(isGood ? 1 : 0) } as const
    const how = { charge, providerDate: now, now, why: 'test', ...(isGood ? { answer } : {}) }
    return ledger.settle({ scope: 'key:0', reservationId: slot, ...how })
  }
  const due = (wanted = sweep) => isDue(ledger, wanted, clock.now())

  it('is due for the current period until it was asked for, and again in a later one', async () => {
    expect(await due()).toEqual({ kind: 'due', periodStart: parseIso('2026-11-21T12:00:00Z') })
    await reserve(slotAt('12:00'))
    expect(await due()).toMatchObject({ kind: 'not-due' })
    clock.advance(2 * MINUTE)
    expect(await due()).toMatchObject({ kind: 'due' })
  })

  it('is not kept from the current period by a slot of a time to come', async () => {
    for (const slot of ['coinmarketcap/quotes/2030-01-01T00:00:00.000Z/0.x', slotAt('12:01')]) {
      await reserve(slot)
      expect(await due()).toMatchObject({ kind: 'due' })
      await settle(slot, true)
      expect(await due()).toMatchObject({ kind: 'due' })
    }
  })

  it('gives a failed page its second try before the next sweep, and no third', async () => {
    const slow = { ...sweep, wish: { ...wish, refreshMs: 10 * MINUTE, intervalMs: 10 * MINUTE, pages: 2 } }
    for (const page of [0, 1]) {
      await reserve(slotAt('12:00', page))
      await settle(slotAt('12:00', page), page === 0)
    }
    clock.advance(59 * SECOND)
    expect(await due(slow)).toMatchObject({ kind: 'not-due', nextAt: parseIso('2026-11-21T12:01:20Z') })
    clock.advance(SECOND)
    expect(await due(slow)).toEqual({ kind: 'due', periodStart: parseIso('2026-11-21T12:00:00Z') })
    const again = { scope: 'key:0', reservationId: 'again', costMax: Credits(1), now: clock.now() }
    expect(await ledger.reserve({ ...again, slot: slotAt('12:00', 0) })).toMatchObject({ kind: 'answered' })
    expect(await ledger.reserve({ ...again, slot: slotAt('12:00', 1) })).toMatchObject({ attempt: 2 })
    const free = { charge: { kind: 'known', credits: Credits(0) }, providerDate: null, why: 'test' } as const
    await ledger.settle({ scope: 'key:0', reservationId: 'again', ...free, now: clock.now() })
    clock.advance(2 * MINUTE)
    expect(await due(slow)).toMatchObject({ kind: 'not-due' })
  })
  it('knows since when no try had an answer, from the ledger alone', async () => {
    const since = async () =>
      (await ledger.lastSlots('coinmarketcap/quotes', addMs(clock.now(), HOUR))).failingSince
    const fail = async (slot: string) => {
      await reserve(slot)
      await settle(slot, false)
    }
    expect(await since()).toBeNull()
    await reserve(slotAt('12:00'))
    expect(await since()).toBe(parseIso('2026-11-21T12:00:00Z'))
    await settle(slotAt('12:00'), false)
    await fail(slotAt('12:01'))
    expect(await since()).toBe(parseIso('2026-11-21T12:00:00Z'))
    await reserve(slotAt('12:02'))
    await settle(slotAt('12:02'), true)
    // A page of a period that has an answer is no outage.
    await fail(slotAt('12:02', 1))
    expect(await since()).toBeNull()
    await fail(slotAt('12:05'))
    await reserve(slotAt('12:09'))
    expect(await since()).toBe(parseIso('2026-11-21T12:05:00Z'))
  })

  it('tries ever less often while none has an answer', async () => {
    const start = clock.now()
    let calls = 0
    while (clock.now() < addMs(start, HOUR)) {
      const plan = await due()
      if (plan.kind === 'due') {
        calls += 1
        const slot = `coinmarketcap/quotes/${toIso(plan.periodStart)}/0.x`
        await reserve(slot)
        await settle(slot, false)
      }
      clock.advance(10 * SECOND)
    }
    expect(calls).toBeGreaterThan(5)
    expect(calls).toBeLessThan(15)
  })
})
