import type { EpochMicros } from '../../core/brands.ts'
import { DAY, fromEpochMs } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'

/** Noon (UTC) of yesterday: past for every server, and no retention takes what happened then. */
export const yesterdayNoon: EpochMicros = (() => {
  const nowMs = Math.floor(systemClock.now() / 1_000)
  return fromEpochMs(nowMs - (nowMs % DAY) - DAY / 2)
})()
