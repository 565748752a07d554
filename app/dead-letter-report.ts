import type { DeadLetter } from '../core/records.ts'
import type { EpochMicros } from '../core/brands.ts'

/** Letters of one stage and code. */
export interface LetterCount {
  readonly stage: string
  readonly code: string
  readonly count: number
  readonly newestAt: EpochMicros
  /** Of the newest. */
  readonly id: string
  readonly reason: string
}

type Letter = Pick<DeadLetter, 'stage' | 'code' | 'at' | 'id' | 'reason'>

/** Letters written at `since` or later, counted by stage and code, the most first. Keeps one letter of each kind, never all. */
export async function countLetters(
  letters: AsyncIterable<Letter> | Iterable<Letter>,
  since: EpochMicros,
): Promise<readonly LetterCount[]> {
  const kinds = new Map<string, LetterCount>()
  for await (const { stage, code, at, id, reason } of letters) {
    if (at < since) continue
    const name = JSON.stringify([stage, code])
    const before = kinds.get(name)
    const newest = before !== undefined && before.newestAt > at ? before : { newestAt: at, id, reason }
    kinds.set(name, { ...newest, stage, code, count: (before?.count ?? 0) + 1 })
  }
  return [...kinds.values()].toSorted(
    (a, b) => b.count - a.count || a.stage.localeCompare(b.stage) || a.code.localeCompare(b.code),
  )
}
