import { formatClock, group } from './format.js'

/** @typedef {import('/vendor/uPlot.esm.js')} Plot */

const hour = 3_600

/** Some air above and below; a flat line stands in the middle. @param {number} min @param {number} max @returns {[number, number]} */
export function airAround(min, max) {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return [0, 1]
  const size = Math.abs(max)
  const isFlat = max - min <= size * 1e-9
  const air = isFlat ? size * 0.001 || 1 : (max - min) * 0.12
  return [min - air, max + air]
}

/** @param {Plot} _ @param {number[]} splits */
export const priceLabels = (_, splits) => {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1
  const decimals = Math.min(20, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))
  return splits.map(value => group(value.toFixed(decimals)))
}

/** The page's own font. @param {Element} element @param {number} [scale] */
export const fontOf = (element, scale = 1) => `${12 * scale}px ${getComputedStyle(element).fontFamily}`

/** As wide as the longest label, so that none is cut. @param {Plot} u @param {string[] | null} values */
export const axisSize = (u, values) => {
  const longest = (values ?? []).reduce((a, b) => (b.length > a.length ? b : a), '')
  u.ctx.save()
  u.ctx.font = fontOf(u.root, devicePixelRatio)
  const width = u.ctx.measureText(longest).width / devicePixelRatio
  u.ctx.restore()
  return Math.ceil(Math.max(44, width + 20))
}

const shortTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const shortDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const shortMonth = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' })

/** @param {Plot} u @param {number[]} splits */
export const timeLabels = (u, splits) => {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0)
  // A label in the middle of the left edge would be cut.
  return splits.map(seconds => (u.valToPos(seconds, 'x') < 20 ? '' : timeLabel(seconds * 1000, step)))
}

/** @param {number} at @param {number} step seconds between two labels */
function timeLabel(at, step) {
  if (step < 60) return formatClock(at)
  if (step >= 27 * 24 * hour) return shortMonth.format(at)
  const midnight = new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0
  return step >= 24 * hour || midnight ? shortDay.format(at) : shortTime.format(at)
}
