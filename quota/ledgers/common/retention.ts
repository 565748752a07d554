import { DAY } from '../../../core/time.ts'

/** Slots whose period began this long before the published rows that are pruned are forgotten with them. */
export const slotsKeptMs = 40 * DAY

/** What was spent by whom is forgotten this long after its day: two months are always whole. */
export const spendingKeptMs = 62 * DAY

/** Newest events that are kept. */
export const eventsKept = 100_000

/** Newest runs that are kept. */
export const runsKept = 10_000
