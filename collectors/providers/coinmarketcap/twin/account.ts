import type { EpochMicros } from '../../../../core/brands.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import type { Meter } from '../../../../sandbox/meter.ts'
import type { SandboxPlan } from '../../../../sandbox/plan.ts'

interface RecentCharge {
  readonly at: EpochMicros
  readonly credits: number
}

/** One key (or keyless address) at the provider: its counters, and what it is told about them. */
export class Account {
  readonly scope: string
  readonly plan: SandboxPlan
  readonly keyless: boolean
  readonly #meter: Meter
  #recent: RecentCharge[] = []
  constructor(scope: string, plan: SandboxPlan, meter: Meter, keyless: boolean) {
    this.scope = scope
    this.plan = plan
    this.keyless = keyless
    this.#meter = meter
    meter.openScope(scope, 'coinmarketcap', {
      minute: this.callsPerMinute,
      day: keyless ? null : plan.creditsPerDay,
      month: keyless ? null : plan.creditsPerMonth,
    })
  }

  get callsPerMinute(): number {
    return this.keyless ? this.plan.keylessCallsPerMinute : this.plan.callsPerMinute
  }

  callsThisMinute(at: EpochMicros): number {
    return this.#meter.use(this.scope, 'minute', at).calls
  }

  creditsUsed(period: 'day' | 'month', at: EpochMicros): number {
    return this.#meter.use(this.scope, period, at).credits
  }

  countCall(at: EpochMicros): void {
    this.#meter.addCall(this.scope, at)
  }

  charge(at: EpochMicros, credits: number, foreign = false): void {
    this.#meter.addCredits(this.scope, at, credits, foreign)
    if (this.plan.usageLagMs > 0) this.#recent.push({ at, credits })
  }

  /** Credits used as `key/info` tells them: without the charges that its counter has not seen yet. */
  creditsTold(period: 'day' | 'month', at: EpochMicros): number {
    const seenUntil = at - this.plan.usageLagMs * 1_000
    this.#recent = this.#recent.filter(charge => charge.at > seenUntil)
    const start = periodStart(period, at)
    const unseen = this.#recent.filter(charge => charge.at >= start).reduce((sum, c) => sum + c.credits, 0)
    return this.creditsUsed(period, at) - unseen
  }

  /** 1009 or 1010 where the credits of the day or month are used up. */
  exhausted(at: EpochMicros): 1009 | 1010 | undefined {
    if (this.keyless) return undefined
    const { creditsPerDay, creditsPerMonth } = this.plan
    if (creditsPerMonth !== null && this.creditsUsed('month', at) >= creditsPerMonth) return 1010
    return creditsPerDay !== null && this.creditsUsed('day', at) >= creditsPerDay ? 1009 : undefined
  }

  /** What another program could still charge. */
  creditsLeft(at: EpochMicros): number {
    const { creditsPerDay, creditsPerMonth } = this.plan
    const month = (creditsPerMonth ?? Number.POSITIVE_INFINITY) - this.creditsUsed('month', at)
    const day = (creditsPerDay ?? Number.POSITIVE_INFINITY) - this.creditsUsed('day', at)
    return Math.max(0, Math.min(month, day))
  }
}
