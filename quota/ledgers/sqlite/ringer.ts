import { toCryptosError } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { Bell } from '../../../host/bell.ts'

/** While commits follow one another without a pause, the bell is rung this often. */
const ringEveryMs = 2

/** Rings the ledger's bell after commits: once for those that follow at once, and always when the last of them is done. */
export class Ringer {
  readonly #bell: Bell
  readonly #clock: Clock
  #rungAtMs = Number.NEGATIVE_INFINITY
  #owes = false

  constructor(file: string, clock: Clock) {
    this.#bell = new Bell(file)
    this.#clock = clock
  }

  /** Something was committed. */
  owe(): void {
    this.#owes = true
    if (this.#clock.monotonicMs() - this.#rungAtMs >= ringEveryMs) this.settle()
  }

  /** Rings if a ring is owed. */
  settle(): void {
    if (!this.#owes) return
    this.#owes = false
    this.#rungAtMs = this.#clock.monotonicMs()
    try {
      this.#bell.ring()
    } catch (error) {
      // What was committed stays committed; whoever listens polls besides.
      process.emitWarning(`the ledger's bell is silent: ${toCryptosError(error).message}`)
    }
  }

  close(): void {
    this.settle()
    this.#bell.close()
  }
}
