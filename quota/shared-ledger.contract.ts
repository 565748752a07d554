import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import type { Ledger, ReserveDecision } from '../core/ports/ledger.ts'
import { answerOf, type LedgerContract, limits, slotAt, spec, useLedger } from './ledger.fixture.ts'

const free = { kind: 'known', credits: Credits(0) } as const

/** Two handles on one store, as two processes have them: what one of them remembers never hides what the other wrote. */
export function sharedLedgerContract(contract: LedgerContract): void {
  describe(`ledger contract, two handles: ${contract.name}`, () => {
    const t = useLedger(contract)
    let other: Ledger
    beforeEach(async () => {
      other = await contract.open(t.clock)
    })
    afterEach(() => other.close())

    const ask = (ledger: Ledger, page: number): Promise<ReserveDecision> =>
      ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(page) }))

    /** Reserves and settles through the other handle, with an answer. */
    async function answerElsewhere(page: number): Promise<void> {
      const decision = await ask(other, page)
      expect(decision).toMatchObject({ kind: 'granted' })
      const [now, charge] = [t.clock.now(), { kind: 'known', credits: Credits(1) } as const]
      const attempt = decision.kind === 'granted' ? decision.attempt : 0
      const answer = answerOf(slotAt(page), attempt, now)
      const about = { scope: spec.scope, reservationId: t.lastId, providerDate: now, now, why: 'test' }
      await other.settle({ ...about, charge, answer })
    }

    it('never calls a slot again that it saw fail and the other handle has answered since', async () => {
      await ask(t.ledger, 1)
      await t.settle(t.lastId, { charge: free })
      await answerElsewhere(1)
      expect(await ask(t.ledger, 1)).toEqual({ kind: 'answered', answerId: `${slotAt(1)}#2` })
    })

    it('never calls a slot that was free when it was denied, and that the other handle has answered since', async () => {
      await t.ledger.openScope({ ...spec, limits: { ...limits, creditsPerMonth: 0 } }, t.clock.now())
      expect(await ask(t.ledger, 1)).toMatchObject({ kind: 'denied' })
      await other.openScope(spec, t.clock.now())
      await answerElsewhere(1)
      expect(await ask(t.ledger, 1)).toMatchObject({ kind: 'answered' })
    })

    it('never takes a slot for free because it is newer than all that this handle knew', async () => {
      await ask(t.ledger, 1)
      await t.settle(t.lastId)
      await answerElsewhere(5)
      await answerElsewhere(3)
      expect(await ask(t.ledger, 5)).toMatchObject({ kind: 'answered' })
      expect(await ask(t.ledger, 3)).toMatchObject({ kind: 'answered' })
      expect(await ask(t.ledger, 4)).toMatchObject({ kind: 'granted' })
    })

    it('sees what is in flight, published and exhausted through the other handle', async () => {
      await ask(other, 1)
      expect(await ask(t.ledger, 1)).toMatchObject({ kind: 'in-flight' })
      await answerElsewhere(2)
      expect(await ask(t.ledger, 2)).toMatchObject({ kind: 'answered' })
      await other.outbox.markPublished([`${slotAt(2)}#1`], t.clock.now())
      expect(await ask(t.ledger, 2)).toEqual({ kind: 'published' })
    })

    it('gives each of 40 slots once to two handles that ask at the same time, with events without holes', async () => {
      const wide = { ...limits, creditsPerMonth: 1_000, callsPerMinute: 1_000 }
      await t.ledger.openScope({ ...spec, limits: wide }, t.clock.now())
      const pages = Array.from({ length: 40 }, (_, page) => page)
      const decisions = await Promise.all(pages.flatMap(page => [ask(t.ledger, page), ask(other, page)]))
      expect(decisions.filter(d => d.kind === 'granted')).toHaveLength(40)
      expect(decisions.filter(d => d.kind === 'in-flight')).toHaveLength(40)
      expect(await t.month()).toMatchObject({ reserved: 40 })
      const events = await other.events({ limit: 100, after: 0 })
      expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
      expect(new Set(events.flatMap(e => e.slot ?? [])).size).toBe(40)
    })
  })
}
