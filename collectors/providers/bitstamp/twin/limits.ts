import { MINUTE } from '../../../../core/time.ts'

/** How the twin says that there were too many calls; each was seen, or is documented, at one time. */
export type Refusal = 'json-429' | 'json-400' | 'page-403' | 'text-200'

/** Limits that a test may change. */
export interface BitstampLimits {
  readonly callsPerSecond: number
  readonly callsPerWindow: number
  readonly windowMs: number
  /** Who goes over the window's limit is left outside for so long. */
  readonly blockMs: number
  readonly refusal: Refusal
  /** The firewall refuses the address whatever it does. */
  readonly isFirewalled: boolean
}

export const publicLimits: BitstampLimits = {
  callsPerSecond: 400,
  callsPerWindow: 10_000,
  windowMs: 10 * MINUTE,
  blockMs: 15 * MINUTE,
  refusal: 'json-429',
  isFirewalled: false,
}

interface Visitor {
  second: number
  inSecond: number
  window: number
  inWindow: number
  blockedUntilMs: number
}

/** Counts the calls of an address by the second and by the window. */
export class Gate {
  readonly #limits: BitstampLimits
  readonly #visitors = new Map<string, Visitor>()
  constructor(limits: BitstampLimits) {
    this.#limits = limits
  }

  /** Milliseconds that the address has to stay away; 0 = come in. */
  waitOf(ip: string, nowMs: number): number {
    const { callsPerSecond, callsPerWindow, windowMs, blockMs } = this.#limits
    const visitor = this.#visitorOf(ip, nowMs)
    if (nowMs < visitor.blockedUntilMs) return visitor.blockedUntilMs - nowMs
    visitor.inSecond += 1
    visitor.inWindow += 1
    if (visitor.inWindow > callsPerWindow) visitor.blockedUntilMs = nowMs + blockMs
    if (visitor.inWindow > callsPerWindow) return blockMs
    return visitor.inSecond > callsPerSecond ? Math.min(1_000, windowMs) : 0
  }

  #visitorOf(ip: string, nowMs: number): Visitor {
    const [second, window] = [Math.floor(nowMs / 1_000), Math.floor(nowMs / this.#limits.windowMs)]
    const known = this.#visitors.get(ip) ?? { second, inSecond: 0, window, inWindow: 0, blockedUntilMs: 0 }
    if (known.second !== second) Object.assign(known, { second, inSecond: 0 })
    if (known.window !== window) Object.assign(known, { window, inWindow: 0 })
    this.#visitors.set(ip, known)
    return known
  }
}
