import type { EpochMicros } from '../../core/brands.ts'
import { HOUR, toIso } from '../../core/time.ts'

const hourMicros = HOUR * 1_000

/** (provider, asset or dataset, hour), as text. */
export const groupAt = (provider: string, what: string, at: EpochMicros): string =>
  `${provider} ${what} ${toIso((at - (at % hourMicros)) as EpochMicros).slice(0, 13)}Z`

/** What the id of a record tells: an audit of a million rows keeps no such text for each. */
export interface IdParts {
  /** Provider, or what it is where no single provider says it. */
  readonly who: string
  /** Asset or figure. */
  readonly what: string
  readonly at: EpochMicros
}

/** Of `quoteId`. */
export function quoteIdParts(id: string): IdParts {
  const [who = '', what = '', , at] = id.split('|')
  return { who, what, at: Number(at) as EpochMicros }
}

/** Of `marketRecordId`. */
export function marketIdParts(id: string): IdParts {
  const parts = id.split('|')
  const part = (index: number): string => parts.at(index) ?? ''
  const at = (index: number): EpochMicros => Number(part(index)) as EpochMicros
  switch (parts[0]) {
    case 'metric':
      return { who: part(1), what: part(2), at: at(-1) }
    case 'gap':
      return { who: part(1), what: part(3), at: at(-1) }
    case 'flag':
      return { who: part(1), what: part(2), at: at(-2) }
    case 'consensus':
      return { who: 'consensus', what: part(1), at: at(-1) }
    default:
      return { who: 'serving', what: part(2), at: at(-1) }
  }
}

/** How many groups some ids are of. */
export function countGroups(ids: Iterable<string>, partsOf: (id: string) => IdParts): number {
  const hours = new Map<string, Set<number>>()
  for (const id of ids) {
    const { who, what, at } = partsOf(id)
    const series = `${who} ${what}`
    const seen = hours.get(series) ?? new Set()
    hours.set(series, seen)
    seen.add(Math.floor(at / hourMicros))
  }
  return [...hours.values()].reduce((sum, seen) => sum + seen.size, 0)
}
