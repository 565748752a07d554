import { byId, el } from './dom.js'
import { formatPrice } from './format.js'

/** The chart in words: its label, and a table of the last points, for those who do not see it. */
const tablePoints = 10
const everyMs = 5_000
let filledAt = 0
let filledFor = ''

/** At most every few seconds for the same view: a screen reader is not to be chased. @param {import('./chart.js').View} view */
export function fillSummary(view) {
  const { providers, data, name, currency, rangeLabel } = view
  const key = [name, currency, rangeLabel, ...providers, data.series.size].join(' ')
  if (key === filledFor && Date.now() - filledAt < everyMs) return
  filledFor = key
  filledAt = Date.now()
  const parts = providers.flatMap(provider => {
    const s = data.summary(provider)
    if (!s) return []
    return `${provider} last ${formatPrice(s.last)}, lowest ${formatPrice(s.low)}, highest ${formatPrice(s.high)}`
  })
  const text = parts.length > 0 ? parts.join('; ') : 'no prices yet'
  byId('chart').setAttribute('aria-label', `${name} in ${currency}, ${rangeLabel}: ${text}`)
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
