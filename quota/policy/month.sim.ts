import { Credits, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { PlanLimits, ReserveDecision } from '../../core/ports/ledger.ts'
import { addMs, HOUR, MINUTE, parseIso, SECOND } from '../../core/time.ts'
import { defaultConstants, type PolicyContext } from './constants.ts'
import type { QuotaPolicy } from './policy.ts'
import { newScope, reservedOf, type ScopeState } from './state.ts'

/** What goes wrong in a simulated border of two months. Shares are of calls. */
export interface Faults {
  readonly crashes: number
  readonly lostAnswers: number
  readonly chargedErrors: number
  readonly uncharged: number
  /** Another program that uses the key, in calls over the whole run; within the guard. */
  readonly foreign: number
}

export interface SimOutcome {
  /** Each broken promise in words. */
  readonly broken: readonly string[]
  readonly used: readonly number[]
  readonly crashed: number
}

export const simLimits: PlanLimits = {
  plan: 'sim',
  creditsPerMonth: 100,
  creditsPerDay: null,
  callsPerMinute: 15,
}
const border = parseIso('2026-12-01T00:00:00Z')
/** Simulated on each side of the border. */
const halfMs = 40 * MINUTE
const { connectMs, usageLagMs } = defaultConstants

/** Seeded numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The provider: its own clock, a meter by calendar month and by minute, a usage figure that lags. */
class Meter {
  readonly calls: { readonly at: number; readonly charge: number }[] = []
  readonly skewMs: number
  constructor(skewMs: number) {
    this.skewMs = skewMs
  }
  serve(at: EpochMicros, charge: number): void {
    this.calls.push({ at: at + this.skewMs * 1_000, charge })
  }
  used(monthStart: number, until: number): number {
    let sum = 0
    for (const call of this.calls) if (call.at >= monthStart && call.at < until) sum += call.charge
    return sum
  }
  /** Most calls in a UTC minute and in any 60 s. */
  worstMinute(): number {
    const times = this.calls.map(c => c.at).toSorted((a, b) => a - b)
    const rolling = times.map((t, i) => times.slice(i).findIndex(x => x >= t + MINUTE * 1_000))
    return rolling.reduce((worst, n, i) => Math.max(worst, n < 0 ? times.length - i : n), 0)
  }
}

/**
 * 40 minutes before and after the turn of a month with more demand than quota, 4 workers, the provider's clock up to 2 s off, and
 * faults. The meter is the judge of P1-P3; the policy under test is given, so that a planted bug can be shown to be found.
 */
export class MonthBorder {
  readonly #policy: QuotaPolicy
  readonly #faults: Faults
  readonly #random: () => number
  readonly #meter: Meter
  readonly #broken: string[] = []
  #state: ScopeState
  #tasks: { readonly at: EpochMicros; readonly run: (at: EpochMicros) => void }[] = []
  #crashed = 0
  #count = 0
  #agrees = false

  constructor(policy: QuotaPolicy, faults: Faults, seed: number) {
    this.#policy = policy
    this.#faults = faults
    this.#random = seeded(seed)
    this.#meter = new Meter((this.#random() - 0.5) * 4 * SECOND)
    this.#state = newScope(
      {
        scope: 'key:sim',
        provider: ProviderId('coinmarketcap'),
        limits: simLimits,
        hasUsage: true,
        owned: faults.foreign === 0,
      },
      addMs(border, -halfMs),
    )
  }

  run(): SimOutcome {
    for (let worker = 0; worker < 4; worker += 1) this.#work(addMs(border, -halfMs + worker * SECOND))
    this.#reconcileEvery(addMs(border, -halfMs))
    for (let i = 0; i < this.#faults.foreign; i += 1)
      this.#at(addMs(border, -halfMs * this.#random()), at => this.#meter.serve(at, 1))
    while (this.#tasks.length > 0) this.#step()
    const months = [parseIso('2026-11-01T00:00:00Z'), border, addMs(border, 31 * 24 * HOUR)]
    const used = [this.#meter.used(months[0] ?? 0, border), this.#meter.used(border, months[2] ?? 0)]
    for (const [month, n] of used.entries())
      if (n > (simLimits.creditsPerMonth ?? 0)) this.#broken.push(`P1: month ${month} used ${n}`)
    const worst = this.#faults.foreign > 0 ? 0 : this.#meter.worstMinute()
    if (worst > simLimits.callsPerMinute) this.#broken.push(`P2: ${worst} calls within 60 s`)
    return { broken: this.#broken, used, crashed: this.#crashed }
  }

  #at(at: EpochMicros, run: (at: EpochMicros) => void): void {
    if (at < addMs(border, halfMs)) this.#tasks.push({ at, run })
  }

  #step(): void {
    const next = this.#tasks.reduce((a, b) => (b.at < a.at ? b : a))
    this.#tasks.splice(this.#tasks.indexOf(next), 1)
    next.run(next.at)
    this.#checkBounds(next.at)
  }

  /** P3, as soon as ledger and provider are in the same month. */
  #checkBounds(at: EpochMicros): void {
    if (this.#faults.foreign > 0) return
    const now = at + this.#meter.skewMs * 1_000
    const start = this.#state.month.startsAt
    if (now < start || now >= this.#state.month.resetsAt) return
    const used = this.#meter.used(start, now + 1)
    const ours = this.#state.month.settled + reservedOf(this.#state)
    if (used > ours) this.#broken.push(`P3: provider ${used}, ours ${ours}`)
  }

  #context(now: EpochMicros): PolicyContext {
    return { now, jumpMs: 0, clockAgrees: this.#agrees, constants: defaultConstants }
  }

  #work(at: EpochMicros): void {
    this.#at(at, now => {
      const context = this.#context(now)
      this.#state = this.#policy.advance(this.#state, context).state
      this.#count += 1
      const reservationId = `r${this.#count}`
      const input = { reservationId, costMax: 1, slot: null, slotRow: undefined, outboxFull: false }
      const step = this.#policy.reserve(this.#state, input, context)
      this.#state = step.state
      if (step.decision.kind === 'granted') this.#call(now, step.decision)
      else this.#work(addMs(now, (2 + this.#random() * 20) * SECOND))
    })
  }

  /** The call reaches the provider up to start_by + its deadline after the permit. */
  #call(now: EpochMicros, permit: Extract<ReserveDecision, { kind: 'granted' }>): void {
    const { crashes, lostAnswers, chargedErrors, uncharged } = this.#faults
    const slow = this.#random() < 0.1 ? 20 * SECOND : SECOND
    const arrives = addMs(now, this.#random() * connectMs + this.#random() * slow)
    const fate = this.#random()
    if (fate < crashes / 2) {
      this.#crash(permit.deadline)
      return
    }
    const known = fate >= crashes + lostAnswers + chargedErrors
    const charge = known && fate < crashes + lostAnswers + chargedErrors + uncharged ? 0 : 1
    this.#at(arrives, at => this.#meter.serve(at, charge))
    const answered = known ? addMs(arrives, SECOND) : permit.deadline
    if (fate < crashes) this.#crash(permit.deadline)
    else this.#settle(answered, permit.reservationId, known ? charge : null)
  }

  /** The worker is started again a while later and knows nothing of the call. */
  #crash(deadline: EpochMicros): void {
    this.#crashed += 1
    this.#work(addMs(deadline, this.#random() * 5 * SECOND))
  }

  #settle(at: EpochMicros, reservationId: string, credits: number | null): void {
    this.#at(at, now => {
      this.#agrees = true
      const context = this.#context(now)
      this.#state = this.#policy.advance(this.#state, context).state
      const charge =
        credits === null
          ? { kind: 'unknown' as const }
          : { kind: 'known' as const, credits: Credits(credits) }
      const input = { reservationId, charge, why: 'sim', answer: null }
      this.#state = this.#policy.settle(this.#state, input, context).state
      this.#work(addMs(now, this.#random() * 4 * SECOND))
    })
  }

  #reconcileEvery(at: EpochMicros): void {
    this.#at(at, now => {
      const context = this.#context(now)
      this.#state = this.#policy.advance(this.#state, context).state
      this.#state = this.#policy.reconcile(this.#state, this.#usage(now), context).state
      this.#reconcileEvery(addMs(now, (1 + 5 * this.#random()) * MINUTE))
    })
  }

  /** A figure as old as the provider's lag allows. */
  #usage(now: EpochMicros) {
    const theirs = now + this.#meter.skewMs * 1_000
    const start = theirs >= border ? border : parseIso('2026-11-01T00:00:00Z')
    const resets = theirs >= border ? parseIso('2027-01-01T00:00:00Z') : border
    const seenUntil = EpochMicros(Math.round(theirs - this.#random() * (usageLagMs - 4 * SECOND) * 1_000))
    return {
      at: now,
      limits: simLimits,
      monthUsed: this.#meter.used(start, seenUntil),
      dayUsed: null,
      monthResetsAt: resets,
    }
  }
}
