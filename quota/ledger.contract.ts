import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import type {
  Ledger,
  OutboxEntry,
  PlanLimits,
  RawAnswer,
  ReserveRequest,
  ScopeSpec,
} from '../core/ports/ledger.ts'
import type { Run } from '../core/records.ts'
import { addMs, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import type { QuotaPolicy } from './policy/policy.ts'
import { replay } from './replay.ts'

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

async function listed(entries: AsyncIterable<OutboxEntry>): Promise<OutboxEntry[]> {
  const all: OutboxEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

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
    const month = async () =>
      (await ledger.status(clock.now())).find(s => s.scope === scope)?.windows.find(w => w.window === 'month')

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

    it('charges what a crash left open, once, and frees the slot for one more try', async () => {
      await ledger.reserve(ask(clock.now(), { costMax: Credits(3), slot: slotAt(0) }))
      clock.advance(51 * SECOND)
      expect(await ledger.reap(clock.now())).toBe(0)
      clock.advance(2 * SECOND)
      expect(await ledger.reap(clock.now())).toBe(1)
      expect(await ledger.reap(clock.now())).toBe(0)
      expect(await month()).toMatchObject({ used: 3, reserved: 0 })
      await settle(`r${count}`)
      expect(await month()).toMatchObject({ used: 3 })
      expect(await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))).toMatchObject({ attempt: 2 })
      await settle(`r${count}`, { charge: { kind: 'known', credits: Credits(0) } })
      expect(await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))).toEqual({
        kind: 'exhausted',
        attempts: 2,
      })
    })

    it('sees a stale reservation by itself, without a reap', async () => {
      await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))
      clock.advance(53 * SECOND)
      expect(await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))).toMatchObject({ attempt: 2 })
      expect(await month()).toMatchObject({ used: 1, reserved: 1 })
    })

    it('keeps an answer that came after its reservation was charged', async () => {
      const slot = slotAt(0)
      await ledger.reserve(ask(clock.now(), { slot }))
      const late = `r${count}`
      clock.advance(60 * SECOND)
      await ledger.reap(clock.now())
      await settle(late, { answer: answerOf(slot, 1, clock.now()) })
      await settle(late, { answer: answerOf(slot, 1, clock.now()) })
      expect(await month()).toMatchObject({ used: 1 })
      expect(await ledger.outbox.pending(10)).toHaveLength(1)
      expect(await ledger.reserve(ask(clock.now(), { slot }))).toMatchObject({ kind: 'answered' })
    })

    it('never sends on a permit that was settled before', async () => {
      const request = ask(clock.now(), { slot: slotAt(0) })
      await ledger.reserve(request)
      await settle(request.reservationId, { charge: { kind: 'known', credits: Credits(0) } })
      const again = await ledger.reserve(request)
      expect(again).toMatchObject({ kind: 'granted', startBy: start })
    })

    it('keeps the full cost of a call whose fate nobody knows', async () => {
      await ledger.reserve(ask(clock.now(), { costMax: Credits(5) }))
      await settle(`r${count}`, { charge: { kind: 'unknown' } })
      expect(await month()).toMatchObject({ used: 5, reserved: 0 })
    })

    it('pays an overcharge once and expects it from then on (P11)', async () => {
      await ledger.reserve(ask(clock.now(), { costMax: Credits(2) }))
      await settle(`r${count}`, { charge: { kind: 'known', credits: Credits(4) } })
      await ledger.reserve(ask(clock.now(), { costMax: Credits(3) }))
      expect(await month()).toMatchObject({ used: 4, reserved: 6 })
      expect((await ledger.events({ limit: 10 })).map(e => e.what)).toContain('overcharged')
    })

    it('gives 20 credits to any number of callers, and tells a denial once', async () => {
      await ledger.openScope({ ...spec, limits: { ...limits, callsPerMinute: 1_000 } }, clock.now())
      const decisions = await Promise.all(Array.from({ length: 64 }, () => ledger.reserve(ask(clock.now()))))
      expect(decisions.filter(d => d.kind === 'granted')).toHaveLength(20)
      expect(decisions.at(-1)).toMatchObject({ kind: 'denied', why: 'month-limit' })
      const events = await ledger.events({ limit: 100 })
      expect(events.filter(e => e.what === 'denied')).toHaveLength(1)
    })

    it('leaves the guard alone where something else uses the key', async () => {
      const wide = { ...limits, creditsPerMonth: 100, callsPerMinute: 1_000 }
      await ledger.openScope({ ...spec, owned: false, limits: wide }, clock.now())
      expect(await ledger.reserve(ask(clock.now(), { costMax: Credits(99) }))).toMatchObject({
        kind: 'denied',
      })
      expect(await ledger.reserve(ask(clock.now(), { costMax: Credits(98) }))).toMatchObject({
        kind: 'granted',
      })
    })

    const usage = (monthUsed: number, more: object = {}) => ({
      at: clock.now(),
      limits,
      monthUsed,
      dayUsed: null,
      monthResetsAt: parseIso('2026-12-01T00:00:00Z'),
      ...more,
    })

    it('adopts what the provider counts more, and gives back what it never charged (rule 5, P7)', async () => {
      await ledger.reserve(ask(clock.now(), { costMax: Credits(6) }))
      await settle(`r${count}`, { charge: { kind: 'unknown' } })
      await ledger.reconcile(scope, usage(0))
      expect(await month()).toMatchObject({ used: 6 })
      clock.advance(13 * MINUTE)
      await ledger.reconcile(scope, usage(1))
      await ledger.reconcile(scope, usage(1))
      expect(await month()).toMatchObject({ used: 1 })
      await ledger.reconcile(scope, usage(9))
      expect(await month()).toMatchObject({ used: 9 })
      expect((await ledger.status(clock.now()))[0]).toMatchObject({ drift: 8, lastReconciledAt: clock.now() })
      expect((await ledger.events({ limit: 1 }))[0]).toMatchObject({ what: 'foreign-use', used: 9 })
    })

    it("takes the provider's own limits instead of the configured floor", async () => {
      const learned = { ...limits, plan: 'better', creditsPerMonth: 15_000, callsPerMinute: 50 }
      await ledger.reconcile(scope, usage(0, { limits: learned }))
      expect(await month()).toMatchObject({ limit: 15_000 })
      await ledger.openScope(spec, clock.now())
      expect((await ledger.status(clock.now()))[0]).toMatchObject({ plan: 'better' })
    })

    it('stops all spending at once, everywhere, also for scopes that are opened later (rule 11)', async () => {
      await ledger.freeze(null, 'too expensive', clock.now())
      const other = { ...spec, scope: 'ip:api.kraken.com' }
      await ledger.openScope(other, clock.now())
      for (const name of [scope, other.scope])
        expect(await ledger.reserve(ask(clock.now(), { scope: name }))).toMatchObject({ why: 'frozen' })
      expect((await ledger.status(clock.now())).map(s => s.frozen)).toEqual([
        'too expensive',
        'too expensive',
      ])
      await ledger.unfreeze(null, clock.now())
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('stops after a clock jump until the usage was read, and opens no period by it (rules 6, 7, P9)', async () => {
      await ledger.reserve(ask(clock.now()))
      await settle(`r${count}`)
      clock.jump(40 * 24 * 60 * MINUTE)
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ kind: 'denied', why: 'clock-jump' })
      expect(await month()).toMatchObject({ used: 1, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      const probe = await ledger.reserve(ask(clock.now(), { costMax: Credits(0) }))
      expect(probe).toMatchObject({ kind: 'granted' })
      const theirs = addMs(clock.now(), -40 * 24 * 60 * MINUTE)
      const free = { kind: 'known', credits: Credits(0) }
      await settle(`r${count}`, { providerDate: theirs, charge: free })
      await ledger.reconcile(scope, usage(1))
      expect(await month()).toMatchObject({ used: 1, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ kind: 'granted' })
    })

    it('counts the minute over a clock that was set back', async () => {
      await Promise.all(Array.from({ length: 10 }, () => ledger.reserve(ask(clock.now()))))
      clock.jump(-30 * SECOND)
      clock.advance(60 * SECOND)
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ why: 'minute-limit' })
      clock.jump(-2 * 60 * MINUTE)
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ why: 'clock-jump' })
    })

    it('opens the month a minute after its reset, once a Date of the provider agrees, and charges both', async () => {
      clock.advance((parseIso('2026-11-30T23:59:50Z') - start) / 1_000)
      await ledger.reserve(ask(clock.now(), { costMax: Credits(4) }))
      const overTheBorder = `r${count}`
      clock.advance(15 * SECOND)
      await settle(overTheBorder, { charge: { kind: 'known', credits: Credits(4) } })
      expect(await month()).toMatchObject({ used: 4, resetsAt: parseIso('2026-12-01T00:00:00Z') })
      clock.advance(50 * SECOND)
      await ledger.reserve(ask(clock.now()))
      clock.advance(30 * SECOND)
      await settle(`r${count}`)
      expect(await month()).toMatchObject({ used: 5, resetsAt: parseIso('2027-01-01T00:00:00Z') })
    })

    it('does not open a period while no Date agrees', async () => {
      clock.advance((parseIso('2026-12-01T02:00:00Z') - start) / 1_000)
      await ledger.reserve(ask(clock.now(), { costMax: Credits(20) }))
      await settle(`r${count}`, { providerDate: null, charge: { kind: 'unknown' } })
      expect(await ledger.reserve(ask(clock.now()))).toMatchObject({ why: 'period-not-open' })
      await ledger.reconcile(scope, usage(0, { monthResetsAt: parseIso('2027-01-01T00:00:00Z') }))
      expect(await month()).toMatchObject({ resetsAt: parseIso('2027-01-01T00:00:00Z') })
    })

    it('numbers events without holes, and they rebuild the numbers (P10)', async () => {
      for (let i = 0; i < 12; i += 1) {
        await ledger.reserve(ask(clock.now()))
        if (i % 3 !== 0)
          await settle(`r${count}`, { charge: { kind: i % 2 ? 'unknown' : 'known', credits: Credits(1) } })
        clock.advance(20 * SECOND)
      }
      await ledger.reconcile(scope, usage(3))
      const events = await ledger.events({ limit: 1_000, after: 0 })
      expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
      const now = await month()
      expect(replay(events).get(scope)).toEqual({ used: now?.used, reserved: now?.reserved })
      expect(await ledger.events({ limit: 3, after: 2 })).toEqual(events.slice(2, 5))
      expect(await ledger.events({ limit: 3 })).toEqual(events.slice(-3).toReversed())
      expect(await ledger.events({ limit: 3, scope: 'ip:nobody' })).toEqual([])
    })

    it('refuses a scope that was never opened, and spares the neighbours in the same commit', async () => {
      const [bad, good] = await Promise.allSettled([
        ledger.reserve(ask(clock.now(), { scope: 'ip:nobody' })),
        ledger.reserve(ask(clock.now())),
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
      await ledger.addRun(run('a'))
      await ledger.addRun(run('b'))
      await ledger.addRun(run('b'))
      expect((await ledger.runs(10)).map(r => r.runId)).toEqual(['b', 'a'])
    })

    describe('outbox', () => {
      const answered = async (page: number) => {
        const slot = slotAt(page)
        await ledger.reserve(ask(clock.now(), { slot }))
        await settle(`r${count}`, { answer: answerOf(slot, 1, clock.now()) })
        return `${slot}#1`
      }

      it('has one publisher at a time, and another after the lease', async () => {
        expect(await ledger.outbox.acquireLease('a', clock.now(), 1_000)).toBe(true)
        expect(await ledger.outbox.acquireLease('a', clock.now(), 1_000)).toBe(true)
        expect(await ledger.outbox.acquireLease('b', clock.now(), 1_000)).toBe(false)
        expect(await ledger.outbox.acquireLease('b', addMs(clock.now(), 1_001), 1_000)).toBe(true)
        await ledger.outbox.releaseLease('b')
        expect(await ledger.outbox.acquireLease('a', clock.now(), 1_000)).toBe(true)
      })

      it('puts answers back after an unclean loss, lists a range, prunes only what is published', async () => {
        const first = await answered(0)
        clock.advance(1_000)
        const second = await answered(1)
        await ledger.outbox.markPublished([first], clock.now())
        expect(await ledger.outbox.stats()).toEqual({ pending: 1, bytes: 10, oldestPendingAt: clock.now() })
        const between = await listed(ledger.outbox.between(start, addMs(clock.now(), 1)))
        expect(between.map(e => e.answerId)).toEqual([first, second])
        expect(await listed(ledger.outbox.between(start, clock.now()))).toHaveLength(1)
        expect(await ledger.outbox.republish(60_000, clock.now())).toBe(1)
        expect((await ledger.outbox.pending(10)).map(e => e.answerId)).toEqual([first, second])
        await ledger.outbox.markPublished([first], clock.now())
        expect(await ledger.outbox.prune(addMs(clock.now(), 1))).toBe(1)
        expect((await ledger.outbox.pending(10)).map(e => e.answerId)).toEqual([second])
        expect(await ledger.reserve(ask(clock.now(), { slot: slotAt(0) }))).toEqual({ kind: 'published' })
      })

      it('stops spending when it is full, drops nothing, and goes on when it is drained', async () => {
        await ledger.close()
        ledger = await contract.open(clock, { outboxMaxBytes: 15 })
        const ids = [await answered(0), await answered(1)]
        const full = ask(clock.now(), { slot: slotAt(2) })
        expect(await ledger.reserve(full)).toMatchObject({ kind: 'denied', why: 'outbox-full' })
        expect(await ledger.outbox.pending(10)).toHaveLength(2)
        await ledger.outbox.markPublished(ids, clock.now())
        expect(await ledger.reserve(ask(clock.now(), { slot: slotAt(2) }))).toMatchObject({ kind: 'granted' })
      })
    })
  })
}
