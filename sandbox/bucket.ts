/** Options of a counter that calls raise and time lowers. */
export interface BucketLimits {
  /** Most calls at once. */
  readonly burst: number
  readonly perSecond: number
}

/** A leaking counter per caller: Kraken's call counter and Coinbase's burst are both this. */
export class Bucket {
  readonly #limits: BucketLimits
  readonly #levels = new Map<string, { level: number; atMs: number }>()
  constructor(limits: BucketLimits) {
    this.#limits = limits
  }

  /** Takes one call, or says false. A refused call does not raise the counter. */
  take(caller: string, nowMs: number): boolean {
    const last = this.#levels.get(caller) ?? { level: 0, atMs: nowMs }
    const leaked = (Math.max(0, nowMs - last.atMs) / 1_000) * this.#limits.perSecond
    const level = Math.max(0, last.level - leaked)
    // 1e-9: three thirds of a second must give back a whole call in spite of binary fractions.
    const taken = level + 1 <= this.#limits.burst + 1e-9
    this.#levels.set(caller, { level: taken ? level + 1 : level, atMs: nowMs })
    return taken
  }
}
