import { SECOND } from '../../core/time.ts'

/** What one client, or all together, may ask of the page's server. */
export interface WebLimits {
  readonly maxConnections: number
  /** Open event streams. */
  readonly maxStreams: number
  readonly maxUrlLength: number
  readonly maxHeaderBytes: number
  /** A request whose headers are not there by then is cut off. */
  readonly headersTimeoutMs: number
  /** How often that is looked at. */
  readonly connectionCheckMs: number
  /** A connection on which nothing moves for so long is cut off. */
  readonly idleTimeoutMs: number
  readonly requestsPerSecond: number
  readonly burst: number
  readonly allRequestsPerSecond: number
  readonly allBurst: number
}

export const defaultWebLimits: WebLimits = {
  maxConnections: 128,
  maxStreams: 32,
  maxUrlLength: 2_048,
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 5 * SECOND,
  connectionCheckMs: SECOND,
  idleTimeoutMs: 60 * SECOND,
  requestsPerSecond: 30,
  burst: 60,
  allRequestsPerSecond: 200,
  allBurst: 400,
}

/** A token bucket: `burst` at once, then `perSecond`. The time is the caller's, in ms that never go back. */
export class Bucket {
  readonly #perSecond: number
  readonly #burst: number
  #level: number
  #atMs: number
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#level = burst
    this.#atMs = nowMs
  }
  take(nowMs: number): boolean {
    const refill = ((nowMs - this.#atMs) / SECOND) * this.#perSecond
    this.#level = Math.min(this.#burst, this.#level + refill)
    this.#atMs = nowMs
    if (this.#level < 1) return false
    this.#level -= 1
    return true
  }
}

/** A bucket for each connection and one for all. */
export class RateLimit {
  readonly #limits: WebLimits
  readonly #all: Bucket
  readonly #byConnection = new WeakMap<object, Bucket>()
  constructor(limits: WebLimits, nowMs: number) {
    this.#limits = limits
    this.#all = new Bucket(limits.allRequestsPerSecond, limits.allBurst, nowMs)
  }
  allows(connection: object, nowMs: number): boolean {
    let own = this.#byConnection.get(connection)
    if (!own) {
      own = new Bucket(this.#limits.requestsPerSecond, this.#limits.burst, nowMs)
      this.#byConnection.set(connection, own)
    }
    return own.take(nowMs) && this.#all.take(nowMs)
  }
}
