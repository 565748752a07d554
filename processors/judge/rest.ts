import type { DecimalString, EpochMicros } from '../../core/brands.ts'
import { Longest } from './tail.ts'

const leastMs = 60_000
const leastChanges = 5

/** What the rules of a rest are held against; see `detectors/frozen-value.ts`. */
export interface RestLimits {
  /** How far (logarithm) the others must be from these digits before they are away. */
  readonly awayLn: number
  /** Time away, and rest, that is still usual. */
  readonly awayMs: number
  readonly restMs: number
  /** Changes of the others in a rest that are still usual, where the rest is longer than `restedMs`. */
  readonly peerChanges: number
  readonly restedMs: number
  /** Whether the rest so far is doubted. */
  readonly isDoubted: boolean
}

/** How long a series keeps the same digits, and what the others do meanwhile. Learns from rests that have ended. */
export class Rest {
  #digits: DecimalString | undefined
  #low = Number.NaN
  #high = Number.NaN
  #median = Number.NaN
  #awayAt: EpochMicros | undefined
  /** Since when the digits are the same. */
  since: EpochMicros
  /** Answers with these digits while the others were away. */
  answersAway = 0
  /** How often the median of the others changed during the rest. */
  peerChanges = 0
  readonly longestMs = new Longest(leastMs)
  readonly longestAwayMs = new Longest(leastMs)
  /** Changes of the others during one rest. */
  readonly mostPeerChanges = new Longest(leastChanges)
  /** How often the digits changed. */
  changes = 0
  /** Length of the rest that ended with these digits. */
  endedMs = 0
  constructor(at: EpochMicros) {
    this.since = at
  }

  restMs(at: EpochMicros): number {
    return (at - this.since) / 1_000
  }

  /** How long the others have been away from these digits, without a break. */
  awayMs(at: EpochMicros): number {
    return this.#awayAt === undefined ? 0 : (at - this.#awayAt) / 1_000
  }

  /** Range of the median of the others since the rest began, in logarithms; NaN without others. */
  get peersRange(): number {
    return this.#high - this.#low
  }

  /** One answer; `median` is that of the others (logarithm, NaN = none). */
  observe(
    value: { readonly price: DecimalString; readonly ln: number; readonly at: EpochMicros },
    median: number,
    limits: RestLimits,
  ): void {
    if (value.price !== this.#digits) this.#begin(value.price, value.at, limits)
    if (Number.isNaN(median)) return
    this.#follow(median)
    const distance = Math.abs(value.ln - median)
    // Half of the limit brings them back: others that only lagged behind this source catch up with it.
    if (distance < limits.awayLn / 2) this.#back()
    else if (distance > limits.awayLn) this.#awayAt ??= value.at
    if (this.#awayAt !== undefined) this.answersAway += 1
  }

  /** The answers stopped for a while: nobody knows what the price did meanwhile. */
  interrupt(at: EpochMicros): void {
    this.since = at
    this.#forgetPeers()
  }

  #begin(price: DecimalString, at: EpochMicros, limits: RestLimits): void {
    if (this.#digits !== undefined) {
      this.changes += 1
      this.endedMs = this.restMs(at)
      this.longestMs.learn(this.restMs(at), limits.isDoubted)
      this.longestAwayMs.learn(this.awayMs(at), limits.isDoubted)
      this.mostPeerChanges.learn(this.peerChanges, limits.isDoubted)
    }
    this.#digits = price
    this.since = at
    this.#forgetPeers()
  }

  #back(): void {
    this.#awayAt = undefined
    this.answersAway = 0
  }

  #forgetPeers(): void {
    this.#back()
    this.#low = Number.NaN
    this.#high = Number.NaN
    this.#median = Number.NaN
    this.peerChanges = 0
  }

  #follow(median: number): void {
    this.#low = Number.isNaN(this.#low) ? median : Math.min(this.#low, median)
    this.#high = Number.isNaN(this.#high) ? median : Math.max(this.#high, median)
    if (median !== this.#median) this.peerChanges += 1
    this.#median = median
  }
}
