import { formatSince } from './format.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/**
 * What the range choice offers. `bucketMs` is how fine live prices are drawn.
 * @typedef {{ value: string, label: string, words: string, ms: number | null, bucketMs: number }} Range
 * @type {readonly Range[]}
 */
export const ranges = [
  { value: '15m', label: '15m', words: 'last 15 minutes', ms: 15 * minute, bucketMs: 1000 },
  { value: '1h', label: '1h', words: 'last hour', ms: hour, bucketMs: 5000 },
  { value: '6h', label: '6h', words: 'last 6 hours', ms: 6 * hour, bucketMs: minute },
  { value: '24h', label: '24h', words: 'last 24 hours', ms: day, bucketMs: minute },
  { value: '7d', label: '7d', words: 'last 7 days', ms: 7 * day, bucketMs: 30 * minute },
  { value: 'all', label: 'All', words: 'all time', ms: null, bucketMs: minute },
]

const byDefault = /** @type {Range} */ (ranges[1])

/** @param {string} value @returns {Range} */
export const findRange = value => ranges.find(range => range.value === value) ?? byDefault

/**
 * Which time the shown prices span: the range, or since when there are any where they are younger than it.
 * @param {Range} range
 * @param {readonly { start: number, slackMs: number }[]} spans of each provider
 * @param {number} now
 */
export function spanWords(range, spans, now) {
  const first = Math.min(...spans.map(span => span.start))
  const slackMs = Math.max(...spans.map(span => span.slackMs))
  const isFilled = spans.length === 0 || (range.ms !== null && first - slackMs <= now - range.ms)
  return isFilled ? `in the ${range.words}` : `since ${formatSince(first, now)}`
}
