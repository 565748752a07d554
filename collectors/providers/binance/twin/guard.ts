import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, MINUTE, toEpochMs } from '../../../../core/time.ts'

/** Limits that a test may change. */
export interface BinanceLimits {
  /** REQUEST_WEIGHT of an address in a UTC minute. */
  readonly weightPerMinute: number
  /** Calls after a 429, before its Retry-After is over, that are refused again before the address is banned. */
  readonly patience: number
  /** The first ban; each further one is twice as long. */
  readonly banMs: number
  readonly longestBanMs: number
  /** The address lies in a country that is not served. */
  readonly isGeoBlocked: boolean
  /** The firewall refuses the address. */
  readonly isFirewalled: boolean
}

export const publicLimits: BinanceLimits = {
  weightPerMinute: 6_000,
  patience: 3,
  banMs: 2 * MINUTE,
  longestBanMs: 3 * DAY,
  isGeoBlocked: false,
  isFirewalled: false,
}

interface Visitor {
  minute: number
  used: number
  /** Calls against a 429 in this minute. */
  strikes: number
  bannedUntilMs: number
  bans: number
}

export type Admission = { readonly used: number } & (
  | { readonly kind: 'welcome' }
  | { readonly kind: 'slow-down'; readonly waitMs: number }
  | { readonly kind: 'banned'; readonly untilMs: number }
)

/** Counts the weight of an address by the minute; 429 above the limit, 418 for whoever goes on. */
export class Guard {
  readonly #limits: BinanceLimits
  readonly #visitors = new Map<string, Visitor>()
  constructor(limits: BinanceLimits) {
    this.#limits = limits
  }

  admit(ip: string, weight: number, at: EpochMicros): Admission {
    const nowMs = toEpochMs(at)
    const visitor = this.#visitorOf(ip, Math.floor(nowMs / MINUTE))
    visitor.used += weight
    const { used } = visitor
    if (nowMs < visitor.bannedUntilMs) return { kind: 'banned', used, untilMs: visitor.bannedUntilMs }
    if (used <= this.#limits.weightPerMinute) return { kind: 'welcome', used }
    visitor.strikes += 1
    if (visitor.strikes > this.#limits.patience + 1) return this.#ban(visitor, nowMs)
    return { kind: 'slow-down', used, waitMs: (visitor.minute + 1) * MINUTE - nowMs }
  }

  #ban(visitor: Visitor, nowMs: number): Admission {
    const { banMs, longestBanMs } = this.#limits
    visitor.bannedUntilMs = nowMs + Math.min(banMs * 2 ** visitor.bans, longestBanMs)
    visitor.bans += 1
    return { kind: 'banned', used: visitor.used, untilMs: visitor.bannedUntilMs }
  }

  #visitorOf(ip: string, minute: number): Visitor {
    const known = this.#visitors.get(ip)
    if (known?.minute === minute) return known
    const fresh = { bannedUntilMs: 0, bans: 0, ...known, minute, used: 0, strikes: 0 }
    this.#visitors.set(ip, fresh)
    return fresh
  }
}
