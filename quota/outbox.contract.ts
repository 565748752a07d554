import { describe, expect, it } from 'vitest'
import { ProviderId } from '../core/brands.ts'
import type { AnswerSelection, OutboxEntry } from '../core/ports/ledger.ts'
import { addMs } from '../core/time.ts'
import { answerOf, type LedgerContract, slotAt, start, useLedger } from './ledger.fixture.ts'

async function listed(entries: AsyncIterable<OutboxEntry>): Promise<OutboxEntry[]> {
  const all: OutboxEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

/** The outbox of every ledger: a lease, nothing dropped, nothing twice. */
export function outboxContract(contract: LedgerContract): void {
  describe(`outbox contract: ${contract.name}`, () => {
    const t = useLedger(contract)

    const answered = async (page: number) => {
      const slot = slotAt(page)
      await t.ledger.reserve(t.ask(t.clock.now(), { slot }))
      await t.settle(t.lastId, { answer: answerOf(slot, 1, t.clock.now()) })
      return `${slot}#1`
    }

    it('has one publisher at a time, and another after the lease', async () => {
      expect(await t.ledger.outbox.acquireLease('a', t.clock.now(), 1_000)).toBe(true)
      expect(await t.ledger.outbox.acquireLease('a', t.clock.now(), 1_000)).toBe(true)
      expect(await t.ledger.outbox.acquireLease('b', t.clock.now(), 1_000)).toBe(false)
      expect(await t.ledger.outbox.acquireLease('b', addMs(t.clock.now(), 1_001), 1_000)).toBe(true)
      await t.ledger.outbox.releaseLease('b')
      expect(await t.ledger.outbox.acquireLease('a', t.clock.now(), 1_000)).toBe(true)
    })

    it('puts answers back after an unclean loss, lists a range, prunes only what is published', async () => {
      const first = await answered(0)
      t.clock.advance(1_000)
      const second = await answered(1)
      await t.ledger.outbox.markPublished([first], t.clock.now())
      expect(await t.ledger.outbox.stats()).toEqual({ pending: 1, bytes: 10, oldestPendingAt: t.clock.now() })
      const between = await listed(t.ledger.outbox.between(start, addMs(t.clock.now(), 1)))
      expect(between.map(e => e.answerId)).toEqual([first, second])
      expect(await listed(t.ledger.outbox.between(start, t.clock.now()))).toHaveLength(1)
      expect(await t.ledger.outbox.republish(60_000, t.clock.now())).toBe(1)
      expect((await t.ledger.outbox.pending(10)).map(e => [e.answerId, e.revision])).toEqual([
        [first, 1],
        [second, 0],
      ])
      await t.ledger.outbox.markPublished([first], t.clock.now())
      expect(await t.ledger.outbox.vanished(start, addMs(t.clock.now(), 1))).toEqual([])
      expect(await t.ledger.outbox.prune(addMs(t.clock.now(), 1))).toBe(1)
      expect(await t.ledger.outbox.vanished(start, addMs(t.clock.now(), 1))).toEqual([])
      expect((await t.ledger.outbox.pending(10)).map(e => e.answerId)).toEqual([second])
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(0) }))).toEqual({ kind: 'published' })
    })

    it('puts back only the answers that are selected', async () => {
      const first = await answered(0)
      const early = t.clock.now()
      t.clock.advance(1_000)
      const [second, provider] = [await answered(1), answerOf(slotAt(1), 1, early).provider]
      const now = t.clock.now()
      const back = async (of: AnswerSelection): Promise<readonly string[]> => {
        await t.ledger.outbox.markPublished([first, second], now)
        const count = await t.ledger.outbox.republish(60_000, now, of)
        const ids = (await t.ledger.outbox.pending(10)).map(e => e.answerId)
        expect(count).toBe(ids.length)
        return ids
      }
      expect(await back({})).toEqual([first, second])
      expect(await back({ receivedFrom: now })).toEqual([second])
      expect(await back({ receivedTo: now })).toEqual([first])
      expect(await back({ receivedFrom: addMs(now, 1) })).toEqual([])
      expect(await back({ provider, receivedFrom: early, receivedTo: addMs(now, 1) })).toEqual([
        first,
        second,
      ])
      expect(await back({ provider: ProviderId('nobody') })).toEqual([])
    })

    it('stops spending when it is full, drops nothing, and goes on when it is drained', async () => {
      await t.ledger.close()
      t.ledger = await contract.open(t.clock, { outboxMaxBytes: 15 })
      const ids = [await answered(0), await answered(1)]
      const full = t.ask(t.clock.now(), { slot: slotAt(2) })
      expect(await t.ledger.reserve(full)).toMatchObject({ kind: 'denied', why: 'outbox-full' })
      expect(await t.ledger.outbox.pending(10)).toHaveLength(2)
      await t.ledger.outbox.markPublished(ids, t.clock.now())
      expect(await t.ledger.reserve(t.ask(t.clock.now(), { slot: slotAt(2) }))).toMatchObject({
        kind: 'granted',
      })
    })
  })
}
