import { describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { PlanLimits, ScopeStatus, WindowStatus } from '../core/ports/ledger.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { periodStartOf, slotOf } from './pages.ts'
import { type PlanInput, planNext } from './planner.ts'
import { plan } from './plans.ts'
import { defaultConstants } from './policy/constants.ts'
import { quotaPolicy } from './policy/policy.ts'
import { newScope } from './policy/state.ts'
import { reconcileDue } from './reconcile.ts'
import { scopeOfHost, scopeOfKey } from './scope.ts'
import { whatIf } from './what-if.ts'

const now = parseIso('2026-11-21T12:00:20Z')
const slotStart = parseIso('2026-11-21T12:00:00Z')
const monthEnd = parseIso('2026-12-01T00:00:00Z')

const monthWindow = (left: number, limit = 15_000): WindowStatus => ({
  window: 'month',
  limit,
  used: limit - left,
  reserved: 0,
  left,
  resetsAt: monthEnd,
})
const statusWith = (...windows: WindowStatus[]): ScopeStatus => ({
  scope: 'key:0',
  provider: ProviderId('coinmarketcap'),
  plan: 'basic-2026',
  frozen: null,
  jump: false,
  pausedUntil: null,
  pausedWhy: null,
  windows,
  runsOutAt: null,
  lastReconciledAt: null,
  usageTriedAt: null,
  drift: null,
})
const input = (more: Partial<PlanInput> = {}): PlanInput => ({
  now,
  refreshMs: MINUTE,
  intervalMs: MINUTE,
  lastAnswered: null,
  lastTried: null,
  status: statusWith(monthWindow(15_000)),
  pages: 1,
  costPerSweep: 1,
  reserveShare: 0,
  seed: 'test',
  ...more,
})

describe('planner', () => {
  it('is due at once where nobody ever asked, and a few seconds after the refresh where somebody did', () => {
    expect(planNext(input())).toEqual({ kind: 'due', periodStart: slotStart })
    expect(planNext(input({ now: addMs(slotStart, 1_000) }))).toEqual({ kind: 'due', periodStart: slotStart })
    const before = addMs(slotStart, -3_600_000)
    const early = planNext(input({ now: addMs(slotStart, 1_000), lastAnswered: before, lastTried: before }))
    expect(early).toMatchObject({ kind: 'not-due' })
    const nextAt = (early as { nextAt: EpochMicros }).nextAt
    expect(nextAt - slotStart).toBeGreaterThanOrEqual(3 * SECOND * 1_000)
    expect(nextAt - slotStart).toBeLessThanOrEqual(8 * SECOND * 1_000)
  })

  it('does not ask the same slot twice', () => {
    const plan = planNext(input({ lastAnswered: slotStart, lastTried: slotStart }))
    expect(plan).toMatchObject({ kind: 'not-due' })
  })

  it('is due exactly from the time that it named', () => {
    const wish = { lastAnswered: slotStart, lastTried: slotStart, status: statusWith(monthWindow(5_000)) }
    const plan = planNext(input(wish))
    if (plan.kind !== 'not-due') throw new Error('must not be due')
    expect(planNext(input({ ...wish, now: addMs(plan.nextAt, -1) })).kind).toBe('not-due')
    expect(planNext(input({ ...wish, now: plan.nextAt })).kind).toBe('due')
  })

  it('paces what is left over the time that is left', () => {
    const leftMs = (monthEnd - now) / 1_000
    const sweeps = 1_000
    const wish = { lastAnswered: slotStart, lastTried: slotStart, status: statusWith(monthWindow(sweeps)) }
    const plan = planNext(input(wish))
    const waitMs = ((plan as { nextAt: EpochMicros }).nextAt - slotStart) / 1_000
    expect(waitMs).toBeGreaterThan(leftMs / sweeps - MINUTE)
    expect(waitMs).toBeLessThan(leftMs / sweeps + MINUTE + 8 * SECOND)
  })

  it('waits for the reset when the credits are used, keeping the reserve for people until the last day', () => {
    const empty = planNext(input({ status: statusWith(monthWindow(0)) }))
    expect(empty).toMatchObject({ kind: 'not-due', nextAt: addMs(monthEnd, MINUTE) })
    const reserve = { reserveShare: 0.1, status: statusWith(monthWindow(1_400)) }
    expect(planNext(input(reserve))).toMatchObject({ kind: 'not-due', nextAt: addMs(monthEnd, -DAY) })
    const lastDay = { ...reserve, now: addMs(monthEnd, -HOUR + 20 * SECOND) }
    expect(planNext(input(lastDay))).toMatchObject({ kind: 'due' })
  })

  it('waits after a failed try instead of hammering', () => {
    const failed = planNext(input({ lastTried: slotStart, lastAnswered: addMs(slotStart, -5 * MINUTE) }))
    expect(failed).toMatchObject({ kind: 'not-due' })
    expect((failed as { reason: string }).reason).toContain('failed')
    const quick = input({ refreshMs: SECOND, intervalMs: 10 * SECOND, lastTried: addMs(now, -5 * SECOND) })
    expect(planNext(quick)).toMatchObject({ kind: 'not-due' })
  })

  describe('in an outage', () => {
    /** Tries from the first failure on, as the planner allows them: two of a slot at most. */
    function triesIn(outageOfMs: number, more: Partial<PlanInput> = {}): EpochMicros[] {
      const start = addMs(slotStart, -DAY)
      const lastAnswered = addMs(start, -DAY)
      const tries: EpochMicros[] = []
      let [lastTried, failingSince, failedAt] = [lastAnswered, null, null] as (EpochMicros | null)[]
      for (let at = start; at < addMs(start, outageOfMs); ) {
        const last = { lastAnswered, lastTried: lastTried ?? null, failingSince: failingSince ?? null }
        const plan = planNext(
          input({ status: undefined, ...more, ...last, failedAt: failedAt ?? null, now: at }),
        )
        if (plan.kind === 'due') {
          failedAt = lastTried === plan.periodStart ? null : addMs(at, SECOND)
          lastTried = plan.periodStart
          failingSince ??= plan.periodStart
          tries.push(at)
          at = addMs(at, 2 * SECOND)
        } else at = plan.nextAt
      }
      return tries
    }

    it('tries ever less often, up to every 15 minutes', () => {
      const tries = triesIn(6 * HOUR)
      const waits = tries.slice(1).map((at, i) => (at - (tries[i] ?? 0)) / 1_000)
      expect(waits.length).toBeLessThan(45)
      const late = waits.slice(-10)
      expect(Math.min(...late)).toBeGreaterThan(10 * MINUTE)
      expect(Math.max(...late)).toBeLessThanOrEqual(16 * MINUTE + 8 * SECOND)
      // The jitter: they are not all the same.
      expect(new Set(late.map(ms => Math.round(ms / MINUTE))).size).toBeGreaterThan(1)
    })

    it('takes at most half of the calls of a time in which all is well, from half an hour on', () => {
      for (const [refreshMs, intervalMs] of [
        [10 * SECOND, 10 * SECOND],
        [10 * SECOND, MINUTE],
        [MINUTE, MINUTE],
        [MINUTE, 2 * MINUTE],
      ] as const)
        for (const forMs of [30 * MINUTE, HOUR, 12 * HOUR])
          for (const seed of ['a', 'b', 'c', 'd', 'e']) {
            const tries = triesIn(forMs, { refreshMs, intervalMs, seed })
            expect(tries.length).toBeGreaterThan(4)
            expect(tries.length).toBeLessThanOrEqual(forMs / intervalMs / 2 + 1)
          }
    })

    it('never tries more often than when all is well, but for one second try', () => {
      for (const intervalMs of [30 * MINUTE, HOUR, 3 * HOUR])
        expect(triesIn(DAY, { intervalMs }).length).toBeLessThanOrEqual(DAY / intervalMs + 2)
    })

    it('counts from the first failure, however long nobody asked before it', () => {
      const lastTried = addMs(slotStart, -MINUTE)
      const idle = {
        lastTried,
        lastAnswered: addMs(lastTried, -DAY),
        failingSince: lastTried,
        status: undefined,
      }
      expect(planNext(input(idle))).toEqual({ kind: 'due', periodStart: slotStart })
      const plan = planNext(input({ ...idle, failingSince: addMs(lastTried, -10 * MINUTE) }))
      expect(plan).toMatchObject({ kind: 'not-due', isAfterFailure: true })
      expect((plan as { reason: string }).reason).toContain('no answer since 2026-11-21T11:49:00.000Z')
    })

    it('is over with the first answer', () => {
      const lastAnswered = addMs(slotStart, -MINUTE)
      const over = { lastAnswered, lastTried: lastAnswered, failingSince: null, status: undefined }
      expect(planNext(input(over))).toEqual({ kind: 'due', periodStart: slotStart })
    })
  })

  it('uses a month to 99.5 % or more when it is asked every second, and never too much', () => {
    let left = 15_000
    let lastAnswered: EpochMicros | null = null
    let at = parseIso('2026-11-01T00:00:00Z')
    while (at < monthEnd) {
      const status = statusWith(monthWindow(left))
      const plan = planNext(input({ now: at, lastAnswered, lastTried: lastAnswered, status }))
      if (plan.kind === 'due') {
        left -= 1
        lastAnswered = plan.periodStart
      }
      at = plan.kind === 'due' ? addMs(at, 10 * SECOND) : plan.nextAt
    }
    expect(left).toBeGreaterThanOrEqual(0)
    expect(left).toBeLessThanOrEqual(75)
  })
})

describe('what-if', () => {
  const basic = plan('basic-2026', 15_000, null, 50)
  const wish = { limits: basic, assets: 40, pageSize: 100, intervalMs: MINUTE, refreshMs: MINUTE }

  it('answers before a deploy', () => {
    const answer = whatIf(wish)
    expect(answer).toMatchObject({ feasible: false, bestIntervalMs: 179 * SECOND, limitedBy: 'month' })
    expect(answer.sentence).toBe(
      '40 coins every 60 s on basic-2026: 3.0x too much; the best possible interval is 179 s',
    )
  })

  it.each([
    ['month', basic, 40, 100],
    ['day', { ...basic, creditsPerMonth: null, creditsPerDay: 333 }, 40, 100],
    ['minute', { ...basic, creditsPerMonth: null, callsPerMinute: 10 }, 300, 100],
  ] as const)(
    'never meets a denial by the %s in a plan that it calls feasible',
    (by, limits, assets, pageSize) => {
      const question = { ...wish, limits, assets, pageSize, refreshMs: SECOND }
      const best = whatIf(question)
      expect(best.limitedBy).toBe(by)
      expect(whatIf({ ...question, intervalMs: best.bestIntervalMs }).feasible).toBe(true)
      const pages = Math.ceil(assets / pageSize)
      expect(denials(limits, pages, best.bestIntervalMs)).toBe(0)
      expect(denials(limits, pages, best.bestIntervalMs * 0.9)).toBeGreaterThan(0)
    },
  )

  /** Two months by the policy itself, every call answered after 3 s with a Date that agrees. */
  function denials(limits: PlanLimits, pages: number, intervalMs: number) {
    let at = parseIso('2026-07-01T00:00:00Z')
    const end = addMs(at, limits.creditsPerMonth === null && limits.creditsPerDay === null ? HOUR : 40 * DAY)
    const provider = ProviderId('coinmarketcap')
    let state = newScope({ scope: 'key:0', provider, limits, hasUsage: true, owned: true }, at)
    let denied = 0
    const context = (time: EpochMicros) => ({
      now: time,
      jumpMs: 0,
      clockAgrees: true,
      constants: defaultConstants,
    })
    for (let i = 0; at < end; i += 1, at = addMs(at, intervalMs)) {
      state = quotaPolicy.advance(state, context(at)).state
      for (let page = 0; page < pages; page += 1) {
        const reservationId = `${i}-${page}`
        const asked = { reservationId, costMax: 1, slot: null, slotRow: undefined, outboxFull: false }
        const step = quotaPolicy.reserve(state, asked, context(at))
        state = step.state
        if (step.decision.kind === 'denied') denied += 1
        const charge = { kind: 'known', credits: Credits(1) } as const
        const paid = { reservationId, charge, why: '', answer: null }
        state = quotaPolicy.settle(state, paid, context(addMs(at, 3 * SECOND))).state
      }
    }
    return denied
  }
})

describe('pages, scopes, plans', () => {
  it('names a slot by its period and by what its page asks for', () => {
    expect(periodStartOf(now, MINUTE)).toBe(slotStart)
    expect(slotOf(ProviderId('kraken'), 'ticker', slotStart, { index: 0, name: '5f1b' })).toBe(
      'kraken/ticker/2026-11-21T12:00:00.000Z/0.5f1b',
    )
  })

  it('never shows the key in a scope', () => {
    expect(scopeOfKey('acme', 'secret')).toMatch(/^key:[0-9a-f]{16}$/)
    expect(scopeOfKey('acme', 'secret')).not.toBe(scopeOfKey('other', 'secret'))
    expect(scopeOfHost('API.kraken.com')).toBe('ip:api.kraken.com')
  })
})

describe('reconcile', () => {
  const asked = { now, hasUsage: true }
  const read = (msAgo: number) => ({
    ...statusWith(monthWindow(9_000)),
    lastReconciledAt: addMs(now, -msAgo),
  })
  it('is due at the start, every ten minutes, near a limit and after a clock jump', () => {
    expect(reconcileDue({ ...asked, status: statusWith(monthWindow(9_000)) })).toContain('never')
    expect(reconcileDue({ ...asked, status: read(9 * MINUTE) })).toBeNull()
    expect(reconcileDue({ ...asked, status: read(10 * MINUTE) })).not.toBeNull()
    const nearLimit = { ...read(3 * MINUTE), windows: [monthWindow(200)] }
    expect(reconcileDue({ ...asked, status: nearLimit })).toContain('2 %')
    const jumped = { ...read(MINUTE), frozen: 'the clock jumped by 90000 ms', jump: true }
    expect(reconcileDue({ ...asked, status: jumped })).toContain('jumped')
  })
  it('is never due without a usage endpoint, and not again within a minute of a try', () => {
    const status = statusWith(monthWindow(9_000))
    expect(reconcileDue({ ...asked, hasUsage: false, status })).toBeNull()
    const tried = (msAgo: number) => ({ ...status, usageTriedAt: addMs(now, -msAgo) })
    expect(reconcileDue({ ...asked, status: tried(59 * SECOND) })).toBeNull()
    expect(reconcileDue({ ...asked, status: tried(61 * SECOND) })).not.toBeNull()
    // A clock that was set back: that try says nothing.
    expect(reconcileDue({ ...asked, status: tried(-HOUR) })).not.toBeNull()
  })
  it('is due when a period is over but not confirmed, a minute after each try, and never while an operator freezes', () => {
    const over = { ...monthWindow(0), resetsAt: addMs(now, -MINUTE) }
    const status = { ...read(2 * MINUTE), windows: [over] }
    expect(reconcileDue({ ...asked, status })).toContain('period')
    expect(
      reconcileDue({ ...asked, status: { ...status, usageTriedAt: addMs(now, -50 * SECOND) } }),
    ).toBeNull()
    expect(
      reconcileDue({ ...asked, status: { ...status, frozen: 'the clock jumped into my holiday' } }),
    ).toBeNull()
    const early = { ...status, windows: [{ ...over, resetsAt: addMs(now, -MINUTE + 1) }] }
    expect(reconcileDue({ ...asked, status: early })).not.toContain('period')
  })
  it('asks an endpoint that does not answer every 5 minutes, not every minute', () => {
    const unanswered = (msAgo: number) => ({ ...read(HOUR), usageTriedAt: addMs(now, -msAgo) })
    expect(reconcileDue({ ...asked, status: unanswered(4 * MINUTE) })).toBeNull()
    expect(reconcileDue({ ...asked, status: unanswered(5 * MINUTE) })).toContain('long ago')
  })
})
