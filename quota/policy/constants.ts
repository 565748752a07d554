import type { EpochMicros } from '../../core/brands.ts'
import { MINUTE, SECOND } from '../../core/time.ts'
import type { ClockStamp } from './clock.ts'

/** The numbers that the rules hang on. All times in milliseconds. */
export interface QuotaConstants {
  readonly connectMs: number
  /** From the first byte sent to the last byte received. */
  readonly totalDeadlineMs: number
  /** How far the clocks of two hosts, or ours and the provider's, may lie apart. */
  readonly skewMs: number
  /** A call must be on its way this long after its permit. */
  readonly startByMs: number
  /** Share of a limit that is left alone where something else uses the key too. */
  readonly guardShare: number
  /** How far the provider's own usage figure lags behind. */
  readonly usageLagMs: number
  /** Age up to which a usage figure may still lower ours. */
  readonly ttlMs: number
  /** A wall clock that moved by more than this against the monotonic one has jumped. */
  readonly clockJumpMs: number
  /** Our clock agrees with the provider's `Date` within this. */
  readonly clockAgreesMs: number
  /** A period opens by the clock this long after its reset time. */
  readonly periodGraceMs: number
  /** Calls for one slot. */
  readonly maxAttempts: number
}

/** Rules of quota: "Constants". Latency seen of CoinMarketCap: worst 9.5 s, so no total deadline under 15 s. */
export const defaultConstants: QuotaConstants = {
  connectMs: 5 * SECOND,
  totalDeadlineMs: 20 * SECOND,
  skewMs: 2 * SECOND,
  startByMs: 5 * SECOND,
  guardShare: 0.02,
  usageLagMs: 120 * SECOND,
  ttlMs: 10 * MINUTE,
  clockJumpMs: 60 * SECOND,
  clockAgreesMs: 30 * SECOND,
  periodGraceMs: 60 * SECOND,
  maxAttempts: 2,
}

/** D: how long after its permit a call may still reach the provider, by the provider's clock. */
export const lateMs = (c: QuotaConstants): number => c.connectMs + c.totalDeadlineMs + c.skewMs

/** Length of the sliding minute: a call is counted this long after its permit. */
export const minuteWindowMs = (c: QuotaConstants): number => MINUTE + lateMs(c)

/** What the policy is told about time. The clock itself is never read by the policy. */
export interface PolicyContext {
  readonly now: EpochMicros
  /** How far the wall clock moved against the monotonic one since the scope was last looked at; 0 = it did not. */
  readonly jumpMs: number
  /** Whether a provider's `Date` agreed with our clock, with no jump and no boot since. */
  readonly clockAgrees: boolean
  /** How far our clock may have run off since; 0 by default. */
  readonly driftMs?: number
  /** Where the clocks stand now, for the next comparison; without it the state keeps its last one. */
  readonly stamp?: ClockStamp
  /** Monotonic time began anew since the scope was last looked at: nobody knows how long ago that was. */
  readonly isNewBase?: boolean
  readonly constants: QuotaConstants
}
