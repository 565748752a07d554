import type { EpochMicros, ProviderId } from '../core/brands.ts'
import { toIso } from '../core/time.ts'

/** `<provider>/<dataset>/<period start, ISO>/<page>`: what is paid for once, whoever asks (rule 8). */
export const slotOf = (
  provider: ProviderId,
  dataset: string,
  periodStart: EpochMicros,
  page: number,
): string => `${provider}/${dataset}/${toIso(periodStart)}/${page}`

/** Start of the provider's refresh period that holds `now`. */
export const periodStartOf = (now: EpochMicros, refreshMs: number): EpochMicros =>
  (Math.floor(now / (refreshMs * 1_000)) * refreshMs * 1_000) as EpochMicros

/** Fills pages of `size`, so that no paid place stays empty but on the last page. */
export function fillPages<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const pages: T[][] = []
  for (let at = 0; at < items.length; at += size) pages.push(items.slice(at, at + size))
  return pages
}
