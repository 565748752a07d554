import type { Detector, Sample } from '../detector.ts'
import { lnOfPercent } from '../figures.ts'
import { farShare } from '../peers.ts'
import { isNewBesideOne } from './newcomer.ts'

/** Powers of ten between a price and the turned price: of itself, in thousands, millions, and satoshi. */
const reciprocalPowers = [0, 3, 6, 8]

/**
 * unit-jump: the price is a power of ten times what it was and what the others say, or it is turned over (asset per currency, satoshi
 * per currency). With two other sources or more their word is enough; with one, or none, the series' own past must say the same, or it has none and the one
 * other has (`newcomer.ts`).
 *
 * Why: cents for dollars, satoshi for bitcoin, thousands for units: what an API does when a field changes its unit. Where all sources
 * jump at once (a redenomination), nobody is doubted.
 */
export const unitJump: Detector = sample => {
  const { ln, peers, parameters } = sample
  const own = ownPast(sample)
  const byOwn = own === undefined ? undefined : factorOf(ln, own, lnOfPercent(parameters.unit.ownPercent))
  if (peers.count === 0) return byOwn && `${byOwn} times the price before; no other source tells`
  if (farShare(peers, lnOfPercent(parameters.nearPercent)) <= parameters.outlier.agreement) return undefined
  const byPeers = factorOf(ln, peers.median, lnOfPercent(parameters.unit.peersPercent))
  if (!byPeers || (peers.count < 2 && !byOwn && !isNewBesideOne(sample))) return undefined
  return `${byPeers} times the median of ${peers.count} other sources`
}

function ownPast({ series, at, parameters }: Sample): number | undefined {
  const { cleanAt, cleanLn } = series
  if (cleanAt === undefined || (at - cleanAt) / 1_000 > parameters.unit.ownMaxAgeMs) return undefined
  return cleanLn
}

function factorOf(ln: number, reference: number, tolerance: number): string | undefined {
  if (Math.abs(ln - reference) < Math.LN2) return undefined
  const power = Math.round((ln - reference) / Math.LN10)
  if (power !== 0 && Math.abs(ln - reference - power * Math.LN10) < tolerance) return `1e${power}`
  for (const turned of reciprocalPowers)
    if (Math.abs(ln + reference - turned * Math.LN10) < tolerance) return `1e${turned}/price, turned over:`
  return undefined
}
