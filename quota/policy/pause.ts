import type { EpochMicros } from '../../core/brands.ts'
import { EpochMicros as checked } from '../../core/brands.ts'
import { addMs, DAY, toIso } from '../../core/time.ts'
import type { PolicyContext } from './constants.ts'

/** A provider refused the address or the key until a time: nobody calls this scope before. */
export interface Pause {
  /** When the provider said so. */
  readonly at: EpochMicros
  /** The first moment at which a call may be made again. */
  readonly until: EpochMicros
  /** Its own word. */
  readonly why: string
}

/**
 * The longest that one word of a provider stops a scope. The longest ban that is documented has 3 days (Binance: "scale in duration
 * from 2 minutes to 3 days"); whatever is told beyond this is asked again by one call after it.
 */
export const maxPauseMs = 7 * DAY

/** The longer of what is told now and what was told before: a later word never shortens a pause. Nothing in the past counts. */
export function longerPause(
  before: Pause | null,
  told: { readonly until: EpochMicros | undefined; readonly why: string },
  at: EpochMicros,
): Pause | null {
  if (told.until === undefined || !(told.until > at)) return before
  const until = checked(Math.min(Math.round(told.until), addMs(at, maxPauseMs)))
  return before && before.until >= until ? before : { at, until, why: told.why }
}

/** undefined = no pause, or one that is over. */
export const pauseAt = (pause: Pause | null, now: EpochMicros): Pause | undefined =>
  pause && now < pause.until ? pause : undefined

export const pauseText = ({ until, why }: Pause): string => `no call before ${toIso(until)}: ${why}`

/**
 * After a jump of the clock: the end moves as the wall clock did against the monotonic one, so that a clock set forward ends no pause
 * and one set back prolongs none. Where the two can not be compared (another boot), the pause lasts from now on at most as long as
 * the provider told.
 */
export function movedPause(pause: Pause | null, { now, jumpMs }: PolicyContext): Pause | null {
  if (!pause) return null
  const at = pause.at + Math.round(jumpMs * 1_000)
  const movedAt = Math.min(at, now)
  return { ...pause, at: checked(movedAt), until: checked(movedAt + (pause.until - pause.at)) }
}
