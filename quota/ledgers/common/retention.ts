import { DAY } from '../../../core/time.ts'

/** Slots whose period began this long before the published rows that are pruned are forgotten with them. */
export const slotsKeptMs = 40 * DAY

/** Newest events that are kept. */
export const eventsKept = 100_000

/** Newest runs that are kept. */
export const runsKept = 10_000
