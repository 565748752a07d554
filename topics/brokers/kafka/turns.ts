/** Batches of a consumer that are in hand at once: one is decoded while another is on its way to the store. */
export const batchesInHand = 2

/** Lets so many in at once; the others wait in the order in which they came. */
export class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()
  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Resolves when it is the caller's turn (true), or when the signal fires first (false). */
  async take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.#free > 0) {
      this.#free -= 1
      return true
    }
    const turn = Promise.withResolvers<boolean>()
    const called = (): void => turn.resolve(true)
    const gone = (): void => {
      this.#waiting.delete(called)
      turn.resolve(false)
    }
    this.#waiting.add(called)
    signal.addEventListener('abort', gone)
    try {
      return await turn.promise
    } finally {
      signal.removeEventListener('abort', gone)
    }
  }

  /** The turn is over: the next one's. */
  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
