import type { Quote } from '../../core/records.ts'
import { madOf, medianOf } from './figures.ts'
import type { Series } from './series.ts'

/** What the other sources of one asset and currency say at the moment of a quote. */
export interface Peers {
  readonly count: number
  /** Of the prices of those that nobody doubts, else of all; logarithms; NaN = there is none. */
  readonly median: number
  readonly mad: number
  /** From each of them to the quote, signed, less what their lag or ours explains. */
  readonly distances: readonly number[]
}

const nobody: Peers = { count: 0, median: Number.NaN, mad: Number.NaN, distances: [] }

/**
 * Sources lag by seconds or by ten minutes; in a crash an honest lag is several per cent. So a quote is held against all that a peer
 * said since the moment that the quote is of, and the way that this series itself went since the moment of the peer's value is
 * taken off. A jump of the quote itself is no such way: only values before it count. What is within `near` (a logarithm) is no distance.
 */
export function peersOf(
  quote: Quote,
  ln: number,
  own: Series,
  others: readonly Series[],
  near: number,
): Peers {
  if (others.length === 0) return nobody
  const sane = others.filter(peer => peer.isSane)
  const lns = (sane.length > 0 ? sane : others).map(peer => peer.ln)
  const median = medianOf(lns)
  const distances = others.map(peer =>
    Math.abs(ln - peer.ln) <= near ? 0 : distanceOf(quote, ln, own, peer),
  )
  return { count: others.length, median, mad: madOf(lns, median), distances }
}

/** What the others said before that is forgotten: a value so old is excluded by its age, and an honest last trade is no outlier. */
const memoryMicros = 55 * 60_000_000
/** But no market that is traded so rarely goes so far meanwhile: 35 per cent. */
const tooFarForAge = Math.log(1.35)

function distanceOf(quote: Quote, ln: number, own: Series, peer: Series): number {
  if (quote.receivedAt - quote.observedAt > memoryMicros)
    return Math.abs(ln - peer.ln) > tooFarForAge ? ln - peer.ln : 0
  peer.range.between(Math.min(quote.observedAt, quote.receivedAt) - own.slackMicros, quote.receivedAt)
  const low = Math.min(peer.ln, peer.range.low)
  const high = Math.max(peer.ln, peer.range.high)
  const raw = ln > high ? ln - high : ln < low ? ln - low : 0
  if (raw === 0) return 0
  own.range.between(peer.latest.observedAt - peer.slackMicros, quote.receivedAt)
  return Math.sign(raw) * Math.max(0, Math.abs(raw) - own.range.width)
}

/** Share of the others (0 to 1) that lie further than `limit` on the same side. */
export function farShare(peers: Peers, limit: number): number {
  if (peers.count === 0) return 0
  const above = peers.distances.filter(d => d > limit).length
  const below = peers.distances.filter(d => d < -limit).length
  return Math.max(above, below) / peers.count
}
