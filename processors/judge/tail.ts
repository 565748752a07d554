import type { TailParameters } from './parameters.ts'

const doubtedGrowth = 1.5

/**
 * So many times the longest of `count` is too long. Of n waits without memory the longest is about ln n usual ones, and a wait of
 * ln(1/chance) usual ones comes with that chance: their ratio, within bounds. A series that is known for long needs less than one of
 * which ten rests are known. Source: maximum of n exponential variables, https://en.wikipedia.org/wiki/Exponential_distribution.
 */
export function tailTimes(count: number, { chance, timesLeast, timesMost }: TailParameters): number {
  return Math.min(timesMost, Math.max(timesLeast, Math.log(1 / chance) / Math.log(Math.max(2, count))))
}

/**
 * The longest of many. The second longest is the measure, so that one event that was no lie to us (or a lie that nobody found) does not
 * make the next one usual; but nothing is too long that was there before.
 */
export class Longest {
  readonly #least: number
  #second = 0
  value = 0
  /** `least` is what one may always grow to. */
  constructor(least: number) {
    this.#least = least
  }

  /**
   * One that has ended. What was doubted teaches little: a fault must not make the next one usual, but a series that became another (a
   * market that dries up) is believed again after some time.
   */
  learn(one: number, isDoubted: boolean): void {
    const taught = isDoubted ? Math.min(one, doubtedGrowth * Math.max(this.value, this.#least)) : one
    if (taught > this.value) {
      this.#second = this.value
      this.value = taught
    } else this.#second = Math.max(this.#second, taught)
  }

  /** So many times the usual longest; never less than the longest. */
  limit(times: number): number {
    return Math.max(times * this.#second, this.value)
  }
}
