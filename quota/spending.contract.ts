import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import type { Charge, Ledger, ReserveRequest } from '../core/ports/ledger.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { type LedgerContract, limits, scope, slotAt, spec, useLedger } from './ledger.fixture.ts'

const known = (credits: number): Charge => ({ kind: 'known', credits: Credits(credits) })

/** Who spent what: the sums of those that are named, and what is left of the window's `used`. */
export function spendingContract(contract: LedgerContract): void {
  describe(`ledger contract, who spends: ${contract.name}`, () => {
    const t = useLedger(contract)
    let page = 0
    beforeEach(async () => {
      page = 0
      const wide = { ...limits, creditsPerMonth: 10_000, creditsPerDay: 1_000, callsPerMinute: 1_000 }
      await t.ledger.openScope({ ...spec, limits: wide }, t.clock.now())
    })

    const slot = (): string => {
      page += 1
      return slotAt(page)
    }
    const reserve = (spender: string | null, more: Partial<ReserveRequest> = {}, ledger = t.ledger) =>
      ledger.reserve(
        t.ask(t.clock.now(), { slot: slot(), ...(spender === null ? {} : { spender }), ...more }),
      )
    async function spend(spender: string | null, charge: Charge, more: Partial<ReserveRequest> = {}) {
      expect(await reserve(spender, more)).toMatchObject({ kind: 'granted' })
      await t.settle(t.lastId, { charge })
    }
    const spending = (ledger = t.ledger) => ledger.spending(t.clock.now())
    /** What nobody is named for, of a window. */
    async function unnamed(window: 'day' | 'month', ledger: Ledger = t.ledger): Promise<number> {
      const status = (await ledger.status(t.clock.now())).find(s => s.scope === scope)
      const used = status?.windows.find(w => w.window === window)?.used ?? Number.NaN
      const of = window === 'day' ? 'today' : 'month'
      const named = (await spending(ledger)).filter(s => s.scope === scope)
      return used - named.reduce((sum, s) => sum + s[of].credits, 0)
    }

    it('sums what is settled by the name before the run, by dataset, and keeps nothing of nobody', async () => {
      await spend(null, known(4))
      expect(await spending()).toEqual([])
      await spend('collect_a/run 1', known(1))
      await spend('collect_a/run 2/again', known(2))
      await spend('collect_b', known(1))
      await spend('collect_a/run 3', known(0), { slot: null, costMax: Credits(0) })
      const spent = (calls: number, credits: number) => ({
        ...{ today: { calls, credits }, month: { calls, credits } },
      })
      expect(await spending()).toEqual([
        { scope, spender: 'collect_a', dataset: 'quotes', ...spent(2, 3) },
        { scope, spender: 'collect_b', dataset: 'quotes', ...spent(1, 1) },
        { scope, spender: 'collect_a', dataset: 'aside', ...spent(1, 0) },
      ])
      expect([await unnamed('day'), await unnamed('month')]).toEqual([4, 4])
    })

    it('counts unknown charges in full, overcharges as charged, and each settlement once', async () => {
      await spend('a/1', { kind: 'unknown' }, { costMax: Credits(3) })
      await t.settle(t.lastId, { charge: { kind: 'unknown' } })
      expect((await spending())[0]?.month).toEqual({ calls: 1, credits: 3 })
      await spend('a/2', known(5))
      expect((await spending())[0]?.month).toEqual({ calls: 2, credits: 8 })
      expect(await unnamed('month')).toBe(0)
    })

    it('charges what a crash left open to whom it named, also over a restart', async () => {
      await reserve('a/1', { costMax: Credits(3) })
      await reserve('b/1', { costMax: Credits(2) })
      expect(await spending()).toEqual([])
      await t.restart()
      t.clock.advance(53 * SECOND)
      expect(await t.ledger.reap(t.clock.now())).toBe(2)
      await t.settle(t.lastId, { charge: known(2) })
      const sums = (await spending()).map(s => [s.spender, s.month])
      expect(sums).toEqual([
        ['a', { calls: 1, credits: 3 }],
        ['b', { calls: 1, credits: 2 }],
      ])
      expect(await unnamed('month')).toBe(0)
    })

    it('shows what a reconcile took over as nobody’s, and less than nothing where the provider billed less', async () => {
      await spend('a/1', known(3), { costMax: Credits(3) })
      const { limits: _, ...rest } = t.usage(10)
      const plan = { ...limits, creditsPerMonth: 10_000, callsPerMinute: 1_000 }
      await t.ledger.reconcile(scope, { ...rest, limits: plan })
      expect(await unnamed('month')).toBe(7)
      await spend('a/1', { kind: 'unknown' }, { costMax: Credits(4) })
      t.clock.advance(HOUR)
      await t.ledger.reconcile(scope, { ...t.usage(2), limits: plan })
      expect((await spending())[0]?.month.credits).toBe(7)
      expect(await unnamed('month')).toBe(2 - 7)
    })

    it('begins anew with the day and with the month, and tells another scope apart', async () => {
      const other = 'key:fedcba9876543210'
      await t.ledger.openScope({ ...spec, scope: other }, t.clock.now())
      await spend('a/1', known(2))
      await t.ledger.reserve({ ...t.ask(t.clock.now()), scope: other, spender: 'a/1' })
      await t.settle(t.lastId, { scope: other })
      expect((await spending()).map(s => [s.scope, s.month.credits])).toEqual([
        [scope, 2],
        [other, 1],
      ])
      t.clock.advance(DAY)
      await spend('a/2', known(1))
      await spend('a/2', known(1))
      const [next] = await spending()
      expect(next).toMatchObject({ today: { calls: 2, credits: 2 }, month: { calls: 3, credits: 4 } })
      expect([await unnamed('day'), await unnamed('month')]).toEqual([0, 0])
      t.clock.advance((parseIso('2026-12-01T00:02:00Z') - t.clock.now()) / 1_000)
      await spend('a/3', known(1))
      await spend('a/3', known(1))
      expect((await spending())[0]).toMatchObject({ spender: 'a', month: { calls: 2, credits: 2 } })
      expect(await unnamed('month')).toBe(0)
    })

    describe('two handles on one store', () => {
      let other: Ledger
      beforeEach(async () => {
        other = await contract.open(t.clock)
      })
      afterEach(() => other.close())

      it('add to the same sums, whoever reserved', async () => {
        const asked = Array.from({ length: 20 }, (_, i) => ({
          ...t.ask(t.clock.now(), { slot: slot(), spender: `s${i % 2}/run` }),
          by: i % 3 === 0 ? other : t.ledger,
          settledBy: i % 5 === 0 ? other : t.ledger,
        }))
        await Promise.all(asked.map(({ by, settledBy: _, ...request }) => by.reserve(request)))
        const now = t.clock.now()
        const more = { scope, charge: known(2), providerDate: now, now, why: 'test' }
        await Promise.all(
          asked.map(({ settledBy, reservationId }) => settledBy.settle({ reservationId, ...more })),
        )
        for (const ledger of [t.ledger, other]) {
          const sums = (await spending(ledger)).map(s => [s.spender, s.month.calls, s.month.credits])
          expect(sums).toEqual([
            ['s0', 10, 20],
            ['s1', 10, 20],
          ])
          expect(await unnamed('month', ledger)).toBe(0)
        }
      })
    })

    it('tells of slots whether their answer waits or was published', async () => {
      const [waits, done, failed] = [slot(), slot(), slot()]
      for (const asked of [waits, done, failed]) {
        await t.ledger.reserve(t.ask(t.clock.now(), { slot: asked }))
        const answer = {
          ...{ answerId: `${asked}#1`, provider: spec.provider, dataset: 'quotes', slot: asked, runId: 'r' },
          ...{ receivedAt: t.clock.now(), httpStatus: 200, body: new Uint8Array([1]), context: '{}' },
        }
        await t.settle(t.lastId, asked === failed ? {} : { answer })
      }
      await t.ledger.outbox.markPublished([`${done}#1`], addMs(t.clock.now(), MINUTE))
      expect([...(await t.ledger.answered([failed, waits, slotAt(999), done]))].sort()).toEqual([
        [waits, 'answered'],
        [done, 'published'],
      ])
      expect((await t.ledger.answered([])).size).toBe(0)
    })
  })
}
