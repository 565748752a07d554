import type { DecimalString, EpochMicros } from '../../core/brands.ts'

/** How long a series keeps the same digits, and how long it does so after the others have moved. Learns from rests that have ended. */
export class Rest {
  #digits: DecimalString | undefined
  #peersLow = Number.NaN
  #peersHigh = Number.NaN
  #movedAt: EpochMicros | undefined
  /** Since when the digits are the same. */
  since: EpochMicros
  /** Answers with these digits since the others moved. */
  answersMoved = 0
  /** Range of the median of the others since the rest began, in logarithms; NaN without others. */
  peersRange = Number.NaN
  longestMs = 0
  longestMovedMs = 0
  /** How often the digits changed. */
  changes = 0
  constructor(at: EpochMicros) {
    this.since = at
  }

  /** How long the digits are the same although the others have moved. */
  movedMs(at: EpochMicros): number {
    return this.#movedAt === undefined ? 0 : (at - this.#movedAt) / 1_000
  }

  /**
   * One answer. `peers` is the median of the others (logarithm, NaN = none), `moveLimit` how far they go before they have moved,
   * `limitMs` the longest rest that may be learnt from.
   */
  observe(
    price: DecimalString,
    at: EpochMicros,
    others: { readonly median: number; readonly moveLimit: number; readonly limitMs: number },
  ): void {
    if (price !== this.#digits) this.#begin(price, at, others.limitMs)
    if (!Number.isNaN(others.median)) this.#follow(others.median)
    if (this.peersRange < others.moveLimit || Number.isNaN(this.peersRange)) return
    this.#movedAt ??= at
    this.answersMoved += 1
  }

  /** The answers stopped for a while: nobody knows what the price did meanwhile. */
  interrupt(at: EpochMicros): void {
    this.since = at
    this.#forgetPeers()
  }

  #begin(price: DecimalString, at: EpochMicros, limitMs: number): void {
    if (this.#digits !== undefined) {
      this.changes += 1
      this.longestMs = Math.max(this.longestMs, (at - this.since) / 1_000)
      this.longestMovedMs = Math.max(this.longestMovedMs, Math.min(this.movedMs(at), limitMs))
    }
    this.#digits = price
    this.since = at
    this.#forgetPeers()
  }

  #forgetPeers(): void {
    this.#peersLow = Number.NaN
    this.#peersHigh = Number.NaN
    this.peersRange = Number.NaN
    this.#movedAt = undefined
    this.answersMoved = 0
  }

  #follow(median: number): void {
    this.#peersLow = Number.isNaN(this.#peersLow) ? median : Math.min(this.#peersLow, median)
    this.#peersHigh = Number.isNaN(this.#peersHigh) ? median : Math.max(this.#peersHigh, median)
    this.peersRange = this.#peersHigh - this.#peersLow
  }
}
