import type { EpochMicros, ProviderId } from '../core/brands.ts'
import { toIso } from '../core/time.ts'

/** One page of a sweep. */
export interface SlotPage {
  readonly index: number
  /** What the page asks for, in short: the same number with other assets is another slot. */
  readonly name: string
}

/** `<provider>/<dataset>/<period start, ISO>/<index>.<name>`: what is paid for once, whoever asks (rule 8). */
export const slotOf = (
  provider: ProviderId,
  dataset: string,
  periodStart: EpochMicros,
  page: SlotPage,
): string => `${provider}/${dataset}/${toIso(periodStart)}/${page.index}.${page.name}`

/** Start of the provider's refresh period that holds `now`. */
export const periodStartOf = (now: EpochMicros, refreshMs: number): EpochMicros =>
  (Math.floor(now / (refreshMs * 1_000)) * refreshMs * 1_000) as EpochMicros
