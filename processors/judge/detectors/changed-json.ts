import type { Gap } from '../../../core/records.ts'
import type { GapDetector } from '../detector.ts'

/** What `collectors/check.ts` says of a body in another shape. */
const shapePattern = /\$[^\s:]*: wanted .+, got /

/** Whether the value is missing because its place in the body looks otherwise than documented. */
export const wrongShape = ({ reason }: Pick<Gap, 'reason'>): boolean => shapePattern.test(reason)

/**
 * changed-json: a series that had values is missing for another shape of the body, so many answers in a row. One null between good
 * values is an accident; three are a new version of the API.
 */
export const changedJson: GapDetector = (gap, series, { gaps }) => {
  if (!wrongShape(gap) || series.wrongShape < gaps.shape) return undefined
  return `${series.wrongShape} answers in a row in another shape: ${gap.reason}`.slice(0, 500)
}
