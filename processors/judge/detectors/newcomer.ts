import type { Sample } from '../detector.ts'

/**
 * Whether the series is new beside one other that is known for longer and believed: where the two part, nobody else can say who is
 * right, and the one with a past is. It stays new until it had a value that nobody doubted: near the other, or with a third that agrees.
 *
 * Why: a new source in cents, or of another asset under the same ticker, has no past of its own that could say so.
 */
export function isNewBesideOne({ series, at, peers, board, parameters }: Sample): boolean {
  if (peers.count !== 1 || series.cleanAt !== undefined) return false
  const [other] = board.others(series, at, 'voices')
  if (!other?.isSane || other.cleanAt === undefined) return false
  return (series.firstAt - other.firstAt) / 1_000 >= parameters.outlier.newcomerMs
}
