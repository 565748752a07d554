import type { Detector, Sample } from '../detector.ts'
import { lnOfPercent, percentText } from '../figures.ts'
import { farShare } from '../peers.ts'
import { isNewBesideOne } from './newcomer.ts'

/**
 * outlier: more than two thirds of the others, at least two of them, lie on one side, further than three per cent and six of their own median absolute
 * deviations and eight times the way that this series usually goes in such a time, after what the lag of each explains. Said only where no unit and no currency explains it.
 *
 * Who leaves a long rest sees a jump first: for 20 minutes, in which the slowest others follow, three times the limit is needed.
 *
 * Why median and MAD: one wrong source of three moves neither (breakdown point one half). Where the sources stand half against half,
 * nobody is the outlier: that is a divergence. Of two, who is new is the outlier (`newcomer.ts`).
 */
export const outlier: Detector = sample => {
  const { ln, peers, parameters } = sample
  const p = parameters.outlier
  if (peers.count < p.minPeers) return asNewcomer(sample)
  const limit =
    Math.max(lnOfPercent(parameters.nearPercent), p.mads * peers.mad, p.steps * sample.series.usualStep) *
    (hasJustMoved(sample) ? p.restedTimes : 1)
  if (farShare(peers, limit) <= p.agreement) return undefined
  return `${percentText(ln - peers.median)} from the median of ${peers.count} other sources; more than ${percentText(limit)} is doubtful`
}

function asNewcomer(sample: Sample): string | undefined {
  const { ln, peers, parameters } = sample
  const limit = lnOfPercent(parameters.consensus.partedPercent)
  if (!isNewBesideOne(sample) || farShare(peers, limit) === 0) return undefined
  return `${percentText(ln - peers.median)} from the one other source, which is known for longer; a newcomer is believed when it is near, or when a third source agrees`
}

/** Whether the series left a long rest a moment ago: it may be the first to see a jump. */
export function hasJustMoved({ series: { rest }, at, parameters: { outlier: p } }: Sample): boolean {
  return rest.endedMs >= p.restedMs && rest.restMs(at) < p.confirmMs
}
