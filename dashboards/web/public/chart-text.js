import { byId, el } from './dom.js'
import { compareExact, formatMoment, formatPrice } from './format.js'

/** The chart in words: its label, and a table of the last points, for those who do not see it. */
const tablePoints = 10
const everyMs = 5_000
let filledAt = 0
let filledFor = ''

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
    return `${provider} last ${last}, lowest ${low}, highest ${high}`
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
      el('td', {}, provider),
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
    return point ? [`${provider} ${formatPrice(point.close, decimals)}`] : []
  })
  return `${[formatMoment(time, to), ...parts].join('  ·  ')} ${currency}`
}

/** Between which prices the drawn time lies. @param {import('./chart.js').View} view */
export function rangeText(view) {
  const ends = endsOf(view)
  if (!ends) return ''
  const [low, high] = ends.map(text => formatPrice(text, view.decimals))
  return `Lowest ${low}  ·  highest ${high} ${view.currency} ${view.span}`
}

/** The same two as floats, for the axis. @param {import('./chart.js').View} view @returns {[number, number]} */
export function extentOf(view) {
  const [low, high] = endsOf(view) ?? []
  return [Number(low), Number(high)]
}

/** Lowest and highest price of the drawn providers. @param {import('./chart.js').View} view */
function endsOf({ data, providers }) {
  const all = providers.flatMap(provider => data.summary(provider) ?? [])
  const [low] = all.map(s => s.low).sort(compareExact)
  const high = all
    .map(s => s.high)
    .sort(compareExact)
    .at(-1)
  return low !== undefined && high !== undefined ? [low, high] : undefined
}
