import type { EpochMicros } from '../../core/brands.ts'

/** Where both clocks of a host stood at one moment. Monotonic times of one boot can be compared, whichever process took them. */
export interface ClockStamp {
  /** Name of the host's boot; '' where it has none to tell. */
  readonly boot: string
  readonly monotonicMs: number
  readonly wallAt: EpochMicros
}

/** A provider's `Date` that agreed with the wall clock, tied to the monotonic clock, which carries it on. */
export interface Agreement {
  readonly boot: string
  /** Monotonic time of the comparison. */
  readonly atMs: number
  /** The provider's time minus monotonic time. */
  readonly offsetMs: number
}

/** Monotonic time of two processes is not taken at one moment: so much may lie between. */
const sameBaseMs = 1_000
/** A clock that nothing corrects runs off by less than 1 in 5,000 (200 ppm). */
const driftParts = 5_000

const isSameBase = (boot: string, monotonicMs: number, now: ClockStamp): boolean =>
  boot === now.boot && now.monotonicMs >= monotonicMs - sameBaseMs

/** Whether monotonic time began anew since (the host was started again): nothing tells how long that took. */
export const isNewBase = (last: ClockStamp | null, now: ClockStamp): boolean =>
  last !== null && !isSameBase(last.boot, last.monotonicMs, now)

/** Milliseconds by which the wall clock moved against the monotonic one; 0 where the two stamps can not be compared. */
export const movedMs = (last: ClockStamp | null, now: ClockStamp): number =>
  last === null || isNewBase(last, now)
    ? 0
    : (now.wallAt - last.wallAt) / 1_000 - (now.monotonicMs - last.monotonicMs)

/** A provider said what time it is, as an answer came at `now`. null = the clocks disagree by more than `withinMs`. */
export function agreementOf(
  providerDate: EpochMicros,
  now: EpochMicros,
  stamp: ClockStamp,
  withinMs: number,
): Agreement | null {
  const aheadMs = (providerDate - now) / 1_000
  if (Math.abs(aheadMs) > withinMs) return null
  const offsetMs = Math.round(stamp.wallAt / 1_000 + aheadMs - stamp.monotonicMs)
  return { boot: stamp.boot, atMs: Math.round(stamp.monotonicMs), offsetMs }
}

/**
 * By how much the provider's time may be behind what the agreement makes of it, in milliseconds; null = our clock does not agree
 * (any more): it was set to another time, or the host was started again.
 */
export function agreesWithin(agreement: Agreement | null, now: ClockStamp, withinMs: number): number | null {
  if (!agreement || !isSameBase(agreement.boot, agreement.atMs, now)) return null
  const theirsMs = now.monotonicMs + agreement.offsetMs
  if (Math.abs(now.wallAt / 1_000 - theirsMs) > withinMs) return null
  return Math.max(0, now.monotonicMs - agreement.atMs) / driftParts
}
