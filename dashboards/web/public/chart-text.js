import { byId, el } from './dom.js'
import { compareExact, formatMoment, formatPrice } from './format.js'
import { consensusName } from './model.js'

/** The chart in words: its label, and a table of the last points, for those who do not see it. */
const tablePoints = 10
const everyMs = 5_000
let filledAt = 0
let filledFor = ''

/** @param {string} provider */
export const lineName = provider => (provider === consensusName ? 'Consensus (median)' : provider)

/** At most every few seconds for the same view: a screen reader is not to be chased. @param {import('./chart.js').View} view */
export function fillSummary(view) {
  const { providers, data, name, currency, decimals, span } = view
  const key = [name, currency, span, ...providers, data.series.size].join(' ')
  if (key === filledFor && Date.now() - filledAt < everyMs) return
  filledFor = key
  filledAt = Date.now()
  const parts = providers.flatMap(provider => {
    const s = data.summary(provider)
    if (!s) return []
    const [last, low, high] = [s.last, s.low, s.high].map(text => formatPrice(text, decimals))
    return `${lineName(provider)} last ${last}, lowest ${low}, highest ${high}`
  })
  const text = parts.length > 0 ? parts.join('; ') : 'no prices yet'
  byId('chart').setAttribute('aria-label', `${name} in ${currency} ${span}: ${text}`)
  byId('chart-table').replaceChildren(tableOf(view))
}

/** @param {import('./chart.js').View} view */
function tableOf({ providers, data, name, currency }) {
  const points = providers
    .flatMap(provider =>
      (data.series.get(provider) ?? []).slice(-tablePoints).map(point => ({ provider, ...point })),
    )
    .sort((a, b) => b.time - a.time)
    .slice(0, tablePoints)
  const rows = points.map(({ provider, time, close }) => {
    const at = new Date(time).toISOString()
    return el(
      'tr',
      {},
      el('td', {}, el('time', { datetime: at }, at)),
      el('td', {}, lineName(provider)),
      el('td', {}, close),
    )
  })
  const head = ['Time', 'Provider', `Price in ${currency}`].map(text => el('th', { scope: 'col' }, text))
  const caption = el('caption', {}, `The last points of ${name}`)
  return el('table', {}, caption, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows))
}

/** The prices of all drawn providers at a time. @param {import('./chart.js').View} view @param {number} time */
export function pointText({ data, providers, currency, decimals, to }, time) {
  const parts = providers.flatMap(provider => {
    const point = data.at(provider, time)
    return point ? [`${lineName(provider)} ${formatPrice(point.close, decimals)}`] : []
  })
  return `${[formatMoment(time, to), ...parts].join('  ·  ')} ${currency}`
}

/**
 * As many as one line holds: of many providers the consensus, the lowest and the highest.
 * @param {import('./chart.js').View} view @param {number} time
 */
export function shortPointText(view, time) {
  const { data, providers, currency, decimals, to } = view
  if (providers.length <= mostInLine) return pointText(view, time)
  const points = providers.flatMap(provider => {
    const point = data.at(provider, time)
    return point ? [{ provider, close: point.close }] : []
  })
  const median = points.filter(p => p.provider === consensusName)
  const sorted = points
    .filter(p => p.provider !== consensusName)
    .toSorted((a, b) => compareExact(a.close, b.close))
  const parts = [...median, ...sorted.slice(0, 1), ...sorted.slice(1).slice(-1)].map(
    p => `${lineName(p.provider)} ${formatPrice(p.close, decimals)}`,
  )
  return `${[formatMoment(time, to), ...parts].join('  ·  ')} ${currency}`
}

/** Names that a line holds. */
const mostInLine = 4

/** Between which prices the drawn time lies; and whose price is out of the picture. @param {import('./chart.js').View} view */
export function rangeText(view) {
  const ends = endsOf(view)
  if (!ends) return ''
  const { low, high, off } = ends
  const [lowest, highest] = [low, high].map(text => formatPrice(text, view.decimals))
  const away = off.length > 0 ? `  ·  off the scale: ${off.join(', ')}` : ''
  return `Lowest ${lowest}  ·  highest ${highest} ${view.currency} ${view.span}${away}`
}

/** The same two as floats, for the axis. @param {import('./chart.js').View} view @returns {[number, number]} */
export function extentOf(view) {
  const { low, high } = endsOf(view) ?? {}
  return [Number(low), Number(high)]
}

/** Beyond the consensus by more than this share, a price is not drawn: one in wrong units would flatten all the others. */
const reach = 0.1

/** Lowest and highest price of the drawn providers. @param {import('./chart.js').View} view */
function endsOf({ data, providers }) {
  const median = providers.includes(consensusName) ? data.summary(consensusName) : undefined
  // Only a picture's edge, so floats will do.
  const floor = median ? Number(median.low) * (1 - reach) : Number.NEGATIVE_INFINITY
  const roof = median ? Number(median.high) * (1 + reach) : Number.POSITIVE_INFINITY
  const all = providers.flatMap(provider => {
    const summary = data.summary(provider)
    return summary ? [{ provider, ...summary }] : []
  })
  const isOff = (/** @type {string} */ price) => Number(price) < floor || Number(price) > roof
  const [low] = all
    .map(s => s.low)
    .filter(p => !isOff(p))
    .sort(compareExact)
  const high = all
    .map(s => s.high)
    .filter(p => !isOff(p))
    .sort(compareExact)
    .at(-1)
  const off = all.filter(s => isOff(s.low) || isOff(s.high)).map(s => s.provider)
  return low !== undefined && high !== undefined ? { low, high, off } : undefined
}
