import { EpochMicros } from '../../../core/brands.ts'
import type { LastSlots } from '../../../core/ports/ledger.ts'
import { parseIso, toIso } from '../../../core/time.ts'

export interface SlotsWanted {
  readonly now: EpochMicros
  /** Slots whose calls are under way: they are not in the table yet. */
  readonly inFlight: readonly string[]
  readonly maxAttempts: number
}

/** Half-open range of keys. */
export type SlotRange = readonly [from: string, to: string]

/**
 * Of `<provider>/<dataset>`: slots sort by their period within it, and '0' follows the '/' that ends it. What begins after now (a
 * scheduler named it, or the clock was wrong then) must not stop what is due now.
 */
export const slotsUntil = (dataset: string, now: EpochMicros): SlotRange => [
  `${dataset}/`,
  `${dataset}/${toIso(now)}0`,
]

/**
 * For LIKE: slots whose page is `<index>.<name>.<run>`, of a run that stands for no period. Nobody but that run may try one again:
 * its failure makes no period due that has its answer.
 */
export const slotsOfRuns = '%/%/%/%.%.%'

/** A slot in flight counts as tried. */
export function newestTried(inTable: string, [from, to]: SlotRange, inFlight: readonly string[]): string {
  let tried = inTable
  for (const slot of inFlight) if (slot > tried && slot >= from && slot < to) tried = slot
  return tried
}

/** All pages of the period of a slot. */
export function periodRange(slot: string): SlotRange {
  const period = slot.split('/', 3).join('/')
  return [`${period}/`, `${period}0`]
}

/** All that comes after the period of the newest slot that was answered. */
export const slotsAfter = (answered: string, [from, to]: SlotRange): SlotRange => [
  answered === '' ? from : periodRange(answered)[1],
  to,
]

export interface FoundSlots {
  readonly answered: string
  readonly tried: string
  /** The first in the table after the answered period; '' = none: a slot in flight may be all that was tried. */
  readonly first: string
  readonly failedAt: unknown
}

export function lastSlotsOf({ answered, tried, first, failedAt }: FoundSlots, after: SlotRange): LastSlots {
  const failing = tried < after[0] ? '' : first || tried
  return {
    failingSince: periodOf(failing),
    answered: periodOf(answered),
    tried: periodOf(tried),
    failedAt: failedAt === null || failedAt === undefined ? null : EpochMicros(Number(failedAt)),
  }
}

/** `<provider>/<dataset>/<period start, ISO>/<page>` */
function periodOf(slot: string): EpochMicros | null {
  const text = slot.split('/')[2]
  return text ? parseIso(text) : null
}
