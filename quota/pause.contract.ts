import { describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { answerOf, type LedgerContract, scope, slotAt, spec, start, useLedger } from './ledger.fixture.ts'
import { reconcileDue } from './reconcile.ts'

const free = { kind: 'known', credits: Credits(0) } as const

/** A provider that refuses a key or an address until a time is left alone until then, by every ledger. */
export function pauseContract(contract: LedgerContract): void {
  describe(`ledger contract, pauses: ${contract.name}`, () => {
    const t = useLedger(contract)
    /** A call that the provider refuses until a time. */
    const refused = async (forMs: number, why = 'HTTP 429: slow down') => {
      await t.ledger.reserve(t.ask(t.clock.now()))
      const pauseUntil = addMs(t.clock.now(), forMs)
      await t.settle(t.lastId, { charge: free, why, pauseUntil })
      return pauseUntil
    }
    const ask = (more = {}) => t.ledger.reserve(t.ask(t.clock.now(), more))
    const status = async () => (await t.ledger.status(t.clock.now())).find(s => s.scope === scope)
    const toldOf = async (what: string) =>
      (await t.ledger.events({ limit: 1_000 })).filter(e => e.what === what)

    it('gives no permit before the time, for no call, then gives them again', async () => {
      const pauseUntil = await refused(2 * HOUR)
      const denial = {
        kind: 'denied',
        why: 'paused',
        reason: 'no call before 2026-11-21T14:00:00.000Z: HTTP 429: slow down',
        retryAt: pauseUntil,
      }
      expect(await ask({ slot: slotAt(0) })).toEqual(denial)
      expect(await ask({ costMax: Credits(0) })).toEqual(denial)
      t.clock.advance(2 * HOUR - 1)
      expect(await ask()).toEqual(denial)
      expect(await t.month()).toMatchObject({ used: 0, reserved: 0 })
      t.clock.advance(1)
      expect(await ask({ slot: slotAt(0) })).toMatchObject({ kind: 'granted', attempt: 1 })
      expect(await toldOf('denied')).toHaveLength(1)
      expect((await toldOf('paused')).map(e => e.why)).toEqual([denial.reason])
    })

    it('is shown in the status, and no usage is asked for meanwhile', async () => {
      expect(await status()).toMatchObject({ pausedUntil: null, pausedWhy: null })
      const pauseUntil = await refused(HOUR, 'banned')
      const shown = await status()
      expect(shown).toMatchObject({ pausedUntil: pauseUntil, frozen: null })
      expect(shown?.pausedWhy).toContain('banned')
      expect(reconcileDue({ now: t.clock.now(), hasUsage: true, status: shown })).toBeNull()
      t.clock.advance(HOUR)
      expect(await status()).toMatchObject({ pausedUntil: null, pausedWhy: null })
    })

    it('is prolonged by a longer word, never shortened by another', async () => {
      await Promise.all([1, 2, 3].map(() => ask()))
      const settle = (id: string, forMs: number) =>
        t.settle(id, { charge: free, pauseUntil: addMs(start, forMs), why: `${forMs}` })
      await settle('r1', HOUR)
      await settle('r2', 2 * HOUR)
      await settle('r3', MINUTE)
      expect(await ask()).toMatchObject({ retryAt: addMs(start, 2 * HOUR) })
      expect((await toldOf('paused')).map(e => e.why.slice(-7))).toEqual(['7200000', '3600000'])
    })

    it('holds over a restart, for another scope not at all, and counts when the answer came late', async () => {
      await t.ledger.openScope({ ...spec, scope: 'ip:other' }, start)
      await ask()
      t.clock.advance(MINUTE)
      await t.ledger.reap(t.clock.now())
      await t.settle(t.lastId, { charge: free, pauseUntil: addMs(start, HOUR) })
      await t.restart()
      expect(await ask()).toMatchObject({ why: 'paused', retryAt: addMs(start, HOUR) })
      expect(await ask({ scope: 'ip:other' })).toMatchObject({ kind: 'granted' })
    })

    it('comes with a good answer too, which is kept', async () => {
      const slot = slotAt(0)
      await ask({ slot })
      await t.settle(t.lastId, { answer: answerOf(slot, 1, start), pauseUntil: addMs(start, MINUTE) })
      expect(await t.ledger.outbox.pending(9)).toHaveLength(1)
      expect(await ask({ slot: slotAt(1) })).toMatchObject({ why: 'paused' })
      expect(await ask({ slot })).toMatchObject({ kind: 'answered' })
    })

    it('is not believed beyond 7 days, nor in the past, nor where it is no time', async () => {
      await refused(-SECOND)
      await ask()
      await t.settle(t.lastId, { charge: free, pauseUntil: Number.NaN as never })
      expect(await status()).toMatchObject({ pausedUntil: null })
      await refused(4_000 * DAY)
      expect(await status()).toMatchObject({ pausedUntil: addMs(start, 7 * DAY) })
    })

    it('is ended by an operator, and told after a freeze', async () => {
      await refused(2 * HOUR)
      await t.ledger.freeze(scope, 'holiday', t.clock.now())
      expect(await ask()).toMatchObject({ why: 'frozen' })
      await t.ledger.unfreeze(scope, t.clock.now())
      expect(await ask()).toMatchObject({ kind: 'granted' })
      expect(await status()).toMatchObject({ pausedUntil: null })
      await refused(HOUR)
      await t.ledger.unfreeze(null, t.clock.now())
      expect(await ask()).toMatchObject({ kind: 'granted' })
    })

    it('ends by no clock that is set forward, and is prolonged by none that is set back', async () => {
      await t.ledger.openScope({ ...spec, hasUsage: false }, start)
      for (const jumpMs of [40 * DAY, -80 * DAY]) {
        await refused(2 * HOUR)
        t.clock.jump(jumpMs)
        t.clock.advance(HOUR)
        expect(await ask()).toMatchObject({ why: 'paused', retryAt: addMs(t.clock.now(), HOUR) })
        t.clock.advance(HOUR)
        expect(await ask()).toMatchObject({ kind: 'granted' })
      }
    })

    it('lasts after a boot with a clock that is behind at most as long as the provider told', async () => {
      await t.ledger.openScope({ ...spec, hasUsage: false }, start)
      await refused(2 * HOUR)
      t.clock.advance(MINUTE)
      await ask()
      const clock = new VirtualClock(addMs(start, -400 * DAY))
      await t.restart(clock)
      expect(await ask()).toMatchObject({ why: 'paused', retryAt: addMs(clock.now(), 2 * HOUR) })
      clock.advance(2 * HOUR)
      expect(await ask()).toMatchObject({ kind: 'granted' })
    })
  })
}
