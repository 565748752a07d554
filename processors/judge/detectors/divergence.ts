import type { ConsensusParameters } from '../parameters.ts'

/**
 * divergence: the highest and the lowest source that count lie further apart than two per cent and the way that the consensus itself
 * went since the oldest of them. An event on the consensus, not on a source: half against half, nobody knows who is right.
 *
 * Why less the way of the market: in a crash of 15 % an hour a source that is honestly ten minutes old lies several per cent apart.
 */
export function isDivergent(spreadPercent: number, wayLn: number, p: ConsensusParameters): boolean {
  return spreadPercent > p.divergencePercent + 100 * Math.expm1(wayLn)
}
