import { describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import { addMs, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { type LedgerContract, scope, start, useLedger } from './ledger.fixture.ts'
import { replay } from './replay.ts'

/** Clocks, periods and the event log of every ledger. */
export function ledgerTimeContract(contract: LedgerContract): void {
  describe(`ledger contract, time: ${contract.name}`, () => {
    const t = useLedger(contract)

    it('stops after a clock jump until the usage was read, and opens no period by it (rules 6, 7, P9)', async () => {
      await t.ledger.reserve(t.ask(t.clock.now()))
      await t.settle(t.lastId)
      t.clock.jump(40 * 24 * 60 * MINUTE)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({
        kind: 'denied',
        why: 'clock-jump',
      })
      expect(await t.month()).toMatchObject({ used: 1, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      const probe = await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(0) }))
      expect(probe).toMatchObject({ kind: 'granted' })
      const theirs = addMs(t.clock.now(), -40 * 24 * 60 * MINUTE)
      const free = { kind: 'known', credits: Credits(0) } as const
      await t.settle(t.lastId, { providerDate: theirs, charge: free })
      await t.ledger.reconcile(scope, t.usage(1))
      expect(await t.month()).toMatchObject({ used: 1, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('counts the minute over a clock that was set back', async () => {
      await Promise.all(Array.from({ length: 10 }, () => t.ledger.reserve(t.ask(t.clock.now()))))
      t.clock.jump(-30 * SECOND)
      t.clock.advance(60 * SECOND)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'minute-limit' })
      t.clock.jump(-2 * 60 * MINUTE)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'clock-jump' })
    })

    it('opens the month a minute after its reset, once a Date of the provider agrees, and charges both', async () => {
      t.clock.advance((parseIso('2026-11-30T23:59:50Z') - start) / 1_000)
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(4) }))
      const overTheBorder = t.lastId
      t.clock.advance(15 * SECOND)
      await t.settle(overTheBorder, { charge: { kind: 'known', credits: Credits(4) } })
      expect(await t.month()).toMatchObject({ used: 4, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      t.clock.advance(50 * SECOND)
      await t.ledger.reserve(t.ask(t.clock.now()))
      t.clock.advance(30 * SECOND)
      await t.settle(t.lastId)
      expect(await t.month()).toMatchObject({ used: 5, resetsAt: parseIso('2027-01-01T00:00:00Z') })
    })

    it('does not open a period while no Date agrees', async () => {
      t.clock.advance((parseIso('2026-12-01T02:00:00Z') - start) / 1_000)
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(20) }))
      await t.settle(t.lastId, { providerDate: null, charge: { kind: 'unknown' } })
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'period-not-open' })
      await t.ledger.reconcile(scope, t.usage(0, { monthResetsAt: parseIso('2027-01-01T00:00:00Z') }))
      expect(await t.month()).toMatchObject({ resetsAt: parseIso('2027-01-01T00:00:00Z') })
    })

    it('sees over a restart that the clock was set forward: the minute is not forgotten (rule 7)', async () => {
      await Promise.all(Array.from({ length: 10 }, () => t.ledger.reserve(t.ask(t.clock.now()))))
      await t.restart()
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'minute-limit' })
      t.clock.jump(2 * MINUTE)
      await t.restart()
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'clock-jump' })
      expect((await t.ledger.status(t.clock.now()))[0]).toMatchObject({ jump: true })
    })

    it('forgets no call of the last minute over a boot, whatever the clock says after it', async () => {
      await Promise.all(Array.from({ length: 10 }, () => t.ledger.reserve(t.ask(t.clock.now()))))
      t.clock.advance(2 * SECOND)
      await t.settle(t.lastId)
      const clock = new VirtualClock(addMs(t.clock.now(), 2 * MINUTE))
      await t.restart(clock)
      // Its monotonic time is less than before: the host was started again.
      expect(await t.ledger.reserve(t.ask(clock.now()))).toMatchObject({ why: 'minute-limit' })
      clock.advance(88 * SECOND)
      expect(await t.ledger.reserve(t.ask(clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('knows after a restart that a Date agreed: a used-up month opens without a call (rule 6)', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(20) }))
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(20) } })
      t.clock.advance((parseIso('2026-12-01T00:01:00Z') - start) / 1_000)
      await t.restart()
      // The agreement is nine days old: a clock that runs off has 1 in 5,000 of that more.
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ why: 'period-not-open' })
      t.clock.advance(3 * MINUTE)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ kind: 'granted' })
      expect(await t.month()).toMatchObject({ used: 0, reserved: 1 })
    })

    it('opens no period by an agreement from before the clock was set (P9)', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(20) }))
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(20) } })
      t.clock.jump(40 * 24 * 60 * MINUTE)
      await t.restart()
      await t.ledger.reserve(t.ask(t.clock.now()))
      expect(await t.month()).toMatchObject({ used: 20, resetsAt: parseIso('2026-12-01T00:00:00Z') })
    })

    it('takes the reset that a provider shows whose clock is a little ahead for the reset', async () => {
      await t.ledger.reserve(t.ask(t.clock.now()))
      await t.settle(t.lastId)
      t.clock.advance((parseIso('2026-11-30T23:59:59Z') - start) / 1_000)
      await t.ledger.reconcile(scope, t.usage(0, { monthResetsAt: parseIso('2027-01-01T00:00:00Z') }))
      const opened = await t.ledger.events({ limit: 9 })
      expect(opened.map(e => e.what)).toContain('period-opened')
      expect(await t.month()).toMatchObject({ used: 0, resetsAt: parseIso('2027-01-01T00:00:00Z') })
    })

    it('tells when the provider was last asked for its usage, also over a restart', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(0) }))
      const at = t.clock.now()
      t.clock.advance(MINUTE)
      await t.ledger.reserve(t.ask(t.clock.now()))
      await t.restart()
      expect((await t.ledger.status(t.clock.now()))[0]).toMatchObject({ usageTriedAt: at })
    })

    it('numbers events without holes, and they rebuild the numbers (P10)', async () => {
      for (let i = 0; i < 12; i += 1) {
        await t.ledger.reserve(t.ask(t.clock.now()))
        if (i % 3 !== 0)
          await t.settle(t.lastId, { charge: { kind: i % 2 ? 'unknown' : 'known', credits: Credits(1) } })
        t.clock.advance(20 * SECOND)
      }
      await t.ledger.reconcile(scope, t.usage(3))
      const events = await t.ledger.events({ limit: 1_000, after: 0 })
      expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
      const now = await t.month()
      expect(replay(events).get(scope)).toEqual({ used: now?.used, reserved: now?.reserved })
      expect(await t.ledger.events({ limit: 3, after: 2 })).toEqual(events.slice(2, 5))
      expect(await t.ledger.events({ limit: 3 })).toEqual(events.slice(-3).toReversed())
      expect(await t.ledger.events({ limit: 3, scope: 'ip:nobody' })).toEqual([])
    })
  })
}
