import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Ledger, PlanLimits, RawAnswer, ReserveRequest, ScopeSpec } from '../core/ports/ledger.ts'
import { addMs, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import type { QuotaPolicy } from './policy/policy.ts'

export interface LedgerContract {
  readonly name: string
  /** A ledger on the same store at each call within one test; `options` for the cap of the outbox and a planted policy. */
  readonly open: (clock: Clock, options?: LedgerTestOptions) => Promise<Ledger>
}

export interface LedgerTestOptions {
  readonly outboxMaxBytes?: number
  readonly policy?: QuotaPolicy
}

const start = parseIso('2026-11-21T12:00:00Z')
const scope = 'key:0123456789abcdef'
const limits: PlanLimits = { plan: 'test', creditsPerMonth: 20, creditsPerDay: null, callsPerMinute: 10 }
const spec: ScopeSpec = { scope, provider: ProviderId('coinmarketcap'), limits, hasUsage: true, owned: true }
const slotAt = (page: number): string => `coinmarketcap/quotes/2026-11-21T12:00:00.000Z/${page}`

let count = 0
const ask = (now: EpochMicros, more: Partial<ReserveRequest> = {}): ReserveRequest => {
  count += 1
  return { scope, reservationId: `r${count}`, costMax: Credits(1), slot: null, now, ...more }
}

const answerOf = (slot: string, attempt: number, at: EpochMicros): RawAnswer => ({
  answerId: `${slot}#${attempt}`,
  provider: ProviderId('coinmarketcap'),
  dataset: 'quotes',
  slot,
  runId: 'run',
  receivedAt: at,
  httpStatus: 200,
  body: new TextEncoder().encode('{"data":1}'),
  context: '{}',
})

/** What every ledger keeps, whatever database it stands on. */
export function ledgerContract(contract: LedgerContract): void {
  describe(`ledger contract: ${contract.name}`, () => {
    let clock: VirtualClock
    let ledger: Ledger
    const month = async () => (await ledger.status(clock.now()))[0]!.windows.find(w => w.window === 'month')!

    beforeEach(async () => {
      clock = new VirtualClock(start)
      ledger = await contract.open(clock)
      await ledger.openScope(spec, clock.now())
    })
    afterEach(() => ledger.close())

    const settle = (reservationId: string, more: object = {}) =>
      ledger.settle({
        scope,
        reservationId,
        charge: { kind: 'known', credits: Credits(1) },
        providerDate: clock.now(),
        now: clock.now(),
        why: 'test',
        ...more,
      })

    it('reserves before the call, charges what the provider says, and shows both', async () => {
      const decision = await ledger.reserve(ask(clock.now(), { costMax: Credits(3) }))
      expect(decision).toMatchObject({ kind: 'granted', attempt: 1, startBy: addMs(start, 5 * SECOND) })
      expect(await month()).toMatchObject({ used: 0, reserved: 3, left: 17, limit: 20 })
      await settle(`r${count}`, { charge: { kind: 'known', credits: Credits(2) } })
      expect(await month()).toMatchObject({ used: 2, reserved: 0, left: 18 })
    })

    it('answers the same reservation id as the first time and charges it once', async () => {
      const request = ask(clock.now())
      const first = await ledger.reserve(request)
      expect(await ledger.reserve(request)).toEqual(first)
      await settle(request.reservationId)
      await settle(request.reservationId)
      expect(await month()).toMatchObject({ used: 1, reserved: 0 })
    })

    it('never gives more than the limit of the minute, and tells when to come back', async () => {
      const decisions = await Promise.all(Array.from({ length: 25 }, () => ledger.reserve(ask(clock.now()))))
      expect(decisions.filter(d => d.kind === 'granted')).toHaveLength(10)
      expect(decisions.at(-1)).toMatchObject({ kind: 'denied', why: 'minute-limit' })
      const retryAt = (decisions.at(-1) as { retryAt: EpochMicros }).retryAt
      clock.advance((retryAt - clock.now()) / 1_000 - 1_100)
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ kind: 'denied' })
      clock.advance(1_100)
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('keeps its word over a restart', async () => {
      await ledger.reserve(ask(clock.now(), { costMax: Credits(7), slot: slotAt(0) }))
      await ledger.close()
      ledger = await contract.open(clock)
      expect(await month()).toMatchObject({ used: 0, reserved: 7 })
      const again = await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))
      expect(again).toMatchObject({ kind: 'in-flight' })
    })

    it('walks a slot from reserved to answered to published, and never pays for it again', async () => {
      const slot = slotAt(1)
      const request = ask(clock.now(), { slot })
      await ledger.reserve(request)
      await settle(request.reservationId, { answer: answerOf(slot, 1, clock.now()) })
      const answered = await ledger.reserve(ask(clock.now(), { slot }))
      expect(answered).toEqual({ kind: 'answered', answerId: `${slot}#1` })
      const [entry] = await ledger.outbox.pending(10)
      expect(entry).toMatchObject({ answerId: `${slot}#1`, credits: 1, publishedAt: null })
      expect(new TextDecoder().decode(entry!.body)).toBe('{"data":1}')
      await ledger.outbox.markPublished([`${slot}#1`], clock.now())
      await ledger.outbox.markPublished([`${slot}#1`], clock.now())
      expect(await ledger.reserve(ask(clock.now(), { slot }))).toEqual({ kind: 'published' })
      expect(await ledger.outbox.pending(10)).toEqual([])
      expect(await ledger.lastSlots('coinmarketcap/quotes')).toEqual({ answered: start, tried: start })
    })
  })
}

export const contractFixture = { start, scope, limits, spec, slotAt, ask, answerOf, MINUTE }
