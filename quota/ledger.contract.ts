import { describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { Run } from '../core/records.ts'
import { addMs, MINUTE, SECOND } from '../core/time.ts'
import {
  answerOf,
  type LedgerContract,
  limits,
  scope,
  slotAt,
  spec,
  start,
  useLedger,
} from './ledger.fixture.ts'

/** Permits, charges, slots and reconciling: what every ledger keeps, whatever database it stands on. */
export function ledgerContract(contract: LedgerContract): void {
  describe(`ledger contract: ${contract.name}`, () => {
    const t = useLedger(contract)

    it('reserves before the call, charges what the provider says, and shows both', async () => {
      const decision = await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(3) }))
      expect(decision).toMatchObject({ kind: 'granted', attempt: 1, startBy: addMs(start, 5 * SECOND) })
      expect(await t.month()).toMatchObject({ used: 0, reserved: 3, left: 17, limit: 20 })
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(2) } })
      expect(await t.month()).toMatchObject({ used: 2, reserved: 0, left: 18 })
    })

    it('answers the same reservation id as the first time and charges it once', async () => {
      const request = t.ask(t.clock.now())
      const first = await t.ledger.reserve(request)
      expect(await t.ledger.reserve(request)).toEqual(first)
      await t.settle(request.reservationId)
      await t.settle(request.reservationId)
      expect(await t.month()).toMatchObject({ used: 1, reserved: 0 })
    })

    it('never gives more than the limit of the minute, and tells when to come back', async () => {
      const decisions = await Promise.all(
        Array.from({ length: 25 }, () => t.ledger.reserve(t.ask(t.clock.now()))),
      )
      expect(decisions.filter(d => d.kind === 'granted')).toHaveLength(10)
      expect(decisions.at(-1)).toMatchObject({ kind: 'denied', why: 'minute-limit' })
      const retryAt = (decisions.at(-1) as { retryAt: EpochMicros }).retryAt
      t.clock.advance((retryAt - t.clock.now()) / 1_000 - 1_100)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ kind: 'denied' })
      t.clock.advance(1_100)
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('keeps its word over a restart', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(7), slot: slotAt(0) }))
      await t.ledger.close()
      t.ledger = await contract.open(t.clock)
      expect(await t.month()).toMatchObject({ used: 0, reserved: 7 })
      const again = await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))
      expect(again).toMatchObject({ kind: 'in-flight' })
    })

    it('charges what a crash left open, once, and frees the slot for one more try', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(3), slot: slotAt(0) }))
      t.clock.advance(51 * SECOND)
      expect(await t.ledger.reap(t.clock.now())).toBe(0)
      t.clock.advance(2 * SECOND)
      expect(await t.ledger.reap(t.clock.now())).toBe(1)
      expect(await t.ledger.reap(t.clock.now())).toBe(0)
      expect(await t.month()).toMatchObject({ used: 3, reserved: 0 })
      await t.settle(t.lastId)
      expect(await t.month()).toMatchObject({ used: 3 })
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))).toMatchObject({ attempt: 2 })
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(0) } })
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))).toEqual({
        kind: 'exhausted',
        attempts: 2,
      })
    })

    it('sees a stale reservation by itself, without a reap', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))
      t.clock.advance(53 * SECOND)
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))).toMatchObject({ attempt: 2 })
      expect(await t.month()).toMatchObject({ used: 1, reserved: 1 })
    })

    it('keeps an answer that came after its reservation was charged', async () => {
      const slot = slotAt(0)
      await t.ledger.reserve(t.ask(t.clock.now(), { slot }))
      const late = t.lastId
      t.clock.advance(60 * SECOND)
      await t.ledger.reap(t.clock.now())
      await t.settle(late, { answer: answerOf(slot, 1, t.clock.now()) })
      await t.settle(late, { answer: answerOf(slot, 1, t.clock.now()) })
      expect(await t.month()).toMatchObject({ used: 1 })
      expect(await t.ledger.outbox.pending(10)).toHaveLength(1)
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot }))).toMatchObject({ kind: 'answered' })
    })

    it('never sends on a permit that was settled before', async () => {
      const request = t.ask(t.clock.now(), { slot: slotAt(0) })
      await t.ledger.reserve(request)
      await t.settle(request.reservationId, { charge: { kind: 'known', credits: Credits(0) } })
      const again = await t.ledger.reserve(request)
      expect(again).toMatchObject({ kind: 'granted', startBy: start })
    })

    it('keeps the full cost of a call whose fate nobody knows', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(5) }))
      await t.settle(t.lastId, { charge: { kind: 'unknown' } })
      expect(await t.month()).toMatchObject({ used: 5, reserved: 0 })
    })

    it('pays an overcharge once and expects it from then on (P11)', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(2) }))
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(4) } })
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(3) }))
      expect(await t.month()).toMatchObject({ used: 4, reserved: 6 })
      expect((await t.ledger.events({ limit: 10 })).map(e => e.what)).toContain('overcharged')
    })

    it('freezes after an absurd charge instead of learning it, and an operator ends both', async () => {
      await t.ledger.openScope({ ...spec, limits: { ...limits, creditsPerMonth: 1_000 } }, t.clock.now())
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(2) }))
      await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(200) } })
      expect(await t.month()).toMatchObject({ used: 200 })
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({
        why: 'frozen',
        reason: expect.stringContaining('charged 200 credits, 2 expected'),
      })
      expect((await t.ledger.events({ limit: 3 })).map(e => e.what)).toContain('frozen')
      await t.ledger.unfreeze(scope, t.clock.now())
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(2) }))
      expect(await t.month()).toMatchObject({ used: 200, reserved: 2 })
    })

    it('forgets a learned cost by an operator, or after 20 calls in a row at the documented one', async () => {
      const wide = { ...limits, creditsPerMonth: 1_000, callsPerMinute: 1_000 }
      await t.ledger.openScope({ ...spec, limits: wide }, t.clock.now())
      const call = async (credits: number): Promise<number> => {
        await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(2) }))
        const reserved = (await t.month())?.reserved ?? 0
        await t.settle(t.lastId, { charge: { kind: 'known', credits: Credits(credits) } })
        return reserved
      }
      await call(5)
      for (let i = 0; i < 19; i += 1) expect(await call(2)).toBe(5)
      expect(await call(5)).toBe(5)
      for (let i = 0; i < 20; i += 1) expect(await call(i % 2)).toBe(5)
      expect(await call(5)).toBe(2)
      expect(await call(2)).toBe(5)
      await t.ledger.unfreeze(scope, t.clock.now())
      expect(await call(2)).toBe(2)
    })

    it('gives 20 credits to any number of callers, and tells a denial once', async () => {
      await t.ledger.openScope({ ...spec, limits: { ...limits, callsPerMinute: 1_000 } }, t.clock.now())
      const decisions = await Promise.all(
        Array.from({ length: 64 }, () => t.ledger.reserve(t.ask(t.clock.now()))),
      )
      expect(decisions.filter(d => d.kind === 'granted')).toHaveLength(20)
      expect(decisions.at(-1)).toMatchObject({ kind: 'denied', why: 'month-limit' })
      const events = await t.ledger.events({ limit: 100 })
      expect(events.filter(e => e.what === 'denied')).toHaveLength(1)
    })

    it('leaves the guard alone where something else uses the key', async () => {
      const wide = { ...limits, creditsPerMonth: 100, callsPerMinute: 1_000 }
      await t.ledger.openScope({ ...spec, owned: false, limits: wide }, t.clock.now())
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(99) }))).toMatchObject({
        kind: 'denied',
      })
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(98) }))).toMatchObject({
        kind: 'granted',
      })
    })

    it('adopts what the provider counts more, and gives back what it never charged (rule 5, P7)', async () => {
      await t.ledger.reserve(t.ask(t.clock.now(), { costMax: Credits(6) }))
      await t.settle(t.lastId, { charge: { kind: 'unknown' } })
      await t.ledger.reconcile(scope, t.usage(0))
      expect(await t.month()).toMatchObject({ used: 6 })
      t.clock.advance(13 * MINUTE)
      await t.ledger.reconcile(scope, t.usage(1))
      await t.ledger.reconcile(scope, t.usage(1))
      expect(await t.month()).toMatchObject({ used: 1 })
      await t.ledger.reconcile(scope, t.usage(9))
      expect(await t.month()).toMatchObject({ used: 9 })
      expect((await t.ledger.status(t.clock.now()))[0]).toMatchObject({
        drift: 8,
        lastReconciledAt: t.clock.now(),
      })
      expect((await t.ledger.events({ limit: 1 }))[0]).toMatchObject({ what: 'foreign-use', used: 9 })
    })

    it("takes the provider's own limits instead of the configured floor", async () => {
      const learned = { ...limits, plan: 'better', creditsPerMonth: 15_000, callsPerMinute: 50 }
      await t.ledger.reconcile(scope, t.usage(0, { limits: learned }))
      expect(await t.month()).toMatchObject({ limit: 15_000 })
      await t.ledger.openScope(spec, t.clock.now())
      expect((await t.ledger.status(t.clock.now()))[0]).toMatchObject({ plan: 'better' })
    })

    it('stops all spending at once, everywhere, also for scopes that are opened later (rule 11)', async () => {
      await t.ledger.freeze(null, 'too expensive', t.clock.now())
      const other = { ...spec, scope: 'ip:api.kraken.com' }
      await t.ledger.openScope(other, t.clock.now())
      for (const name of [scope, other.scope])
        expect(await t.ledger.reserve(t.ask(t.clock.now(), { scope: name }))).toMatchObject({
          why: 'frozen',
          reason: 'too expensive',
        })
      expect((await t.ledger.status(t.clock.now())).map(s => s.frozen)).toEqual([
        'too expensive',
        'too expensive',
      ])
      await t.ledger.unfreeze(null, t.clock.now())
      expect(await t.ledger.reserve(t.ask(t.clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('refuses a scope that was never opened, and spares the neighbours in the same commit', async () => {
      const [bad, good] = await Promise.allSettled([
        t.ledger.reserve(t.ask(t.clock.now(), { scope: 'ip:nobody' })),
        t.ledger.reserve(t.ask(t.clock.now())),
      ])
      expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'CRY_USAGE' } })
      expect(good).toMatchObject({ status: 'fulfilled', value: { kind: 'granted' } })
    })

    it('keeps runs, newest first, each once', async () => {
      const run = (runId: string): Run => ({
        kind: 'run',
        runId,
        provider: ProviderId('kraken'),
        dataset: 'ticker',
        slot: 's',
        startedAt: start,
        endedAt: start,
        outcome: 'collected',
        reason: '',
        credits: 0,
        records: 1,
      })
      await t.ledger.addRun(run('a'))
      await t.ledger.addRun(run('b'))
      await t.ledger.addRun(run('b'))
      expect((await t.ledger.runs(10)).map(r => r.runId)).toEqual(['b', 'a'])
    })
  })
}
