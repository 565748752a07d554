import type { EpochMicros } from '../../../../core/brands.ts'
import { toEpochMs } from '../../../../core/time.ts'
import { nextPeriodStart } from '../../../../sandbox/calendar.ts'
import { keyScope } from '../../../../sandbox/hash.ts'
import type { Meter } from '../../../../sandbox/meter.ts'
import type { BitcoinAverageLimits } from './limits.ts'

/** Requests of one public key in the present period. The meter keeps the count. */
export class Account {
  readonly scope: string
  readonly #limits: BitcoinAverageLimits
  readonly #meter: Meter
  constructor(publicKey: string, limits: BitcoinAverageLimits, meter: Meter) {
    this.scope = keyScope('bitcoinaverage', publicKey)
    this.#limits = limits
    this.#meter = meter
    const { period, requestsPerPeriod } = limits
    const none = { minute: null, day: null, month: null }
    meter.openScope(this.scope, 'bitcoinaverage', { ...none, [period]: requestsPerPeriod })
  }

  left(at: EpochMicros): number {
    const { period, requestsPerPeriod } = this.#limits
    return Math.max(0, requestsPerPeriod - this.#meter.use(this.scope, period, at).credits)
  }

  countCall(at: EpochMicros): void {
    this.#meter.addCall(this.scope, at)
  }

  charge(at: EpochMicros, requests: number, foreign = false): void {
    this.#meter.addCredits(this.scope, at, requests, foreign)
  }

  /** `/info/ratelimits`. */
  rateLimits(at: EpochMicros): Readonly<Record<string, string | number>> {
    const { period, requestsPerPeriod } = this.#limits
    return {
      counter_reset: Math.ceil((toEpochMs(nextPeriodStart(period, at)) - toEpochMs(at)) / 1_000),
      total_period: period === 'day' ? '24h' : '30d',
      requests_left: this.left(at),
      requests_per_period: requestsPerPeriod,
    }
  }
}
