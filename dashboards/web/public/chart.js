import uPlot from '/vendor/uPlot.esm.js'
import { byId, colorName, setText, themeColor } from './dom.js'
import { compareExact, formatClock, formatDay, formatPrice, group } from './format.js'
import { fillSummary } from './chart-text.js'

/**
 * @typedef {object} View
 * @property {import('./chart-data.js').ChartData} data
 * @property {readonly string[]} providers those that are drawn
 * @property {readonly string[]} allProviders in the order of their colours
 * @property {string} name
 * @property {string} currency
 * @property {string} rangeLabel
 * @property {number} from
 * @property {number} to
 */

const hour = 3_600

/** Draws prices as lines, at most once per animation frame. */
export function makeChart() {
  const place = byId('chart')
  /** @type {uPlot | undefined} */
  let plot
  /** @type {View | undefined} */
  let view
  let drawnAs = ''
  let frame = 0

  const draw = () => {
    frame = 0
    if (!view) return
    const { times, columns } = view.data.columns(view.providers)
    byId('chart-empty').hidden = times.length > 0
    place.classList.toggle('bare', times.length === 0)
    if (times.length === 0) {
      plot?.destroy()
      plot = undefined
      setText(byId('readout'), '')
      return fillSummary(view)
    }
    const size = [place.clientWidth, place.clientHeight]
    const looks = JSON.stringify([
      view.providers,
      view.allProviders,
      view.currency,
      themeColor('--ink'),
      size,
    ])
    if (looks !== drawnAs || !plot) {
      plot?.destroy()
      plot = new uPlot(optionsOf(view, place), [[], ...columns.map(() => [])], place)
      drawnAs = looks
    }
    plot.batch(() => {
      // uPlot's types know no undefined columns, its documentation does ("alignment").
      plot?.setData(/** @type {any} */ ([times, ...columns]), false)
      plot?.setScale('x', { min: (view?.from ?? 0) / 1000, max: (view?.to ?? 0) / 1000 })
    })
    fillSummary(view)
    showReadout(view, plot)
  }
  const request = () => {
    if (frame === 0) frame = requestAnimationFrame(draw)
  }
  new ResizeObserver(request).observe(place)
  place.addEventListener('keydown', event => {
    if (plot && view && moveCursor(event, plot)) event.preventDefault()
  })
  place.addEventListener('blur', () => plot?.setCursor({ left: -10, top: -10 }))

  /** @param {View} next */
  const show = next => {
    view = next
    request()
  }
  /** @param {View} v @param {HTMLElement} box @returns {uPlot.Options} */
  const optionsOf = (v, box) => {
    const ink = themeColor('--muted')
    const grid = { stroke: themeColor('--grid'), width: 1 }
    const font = fontOf(box)
    const series = v.providers.map(provider => seriesOf(v, provider))
    return {
      width: box.clientWidth,
      height: box.clientHeight,
      padding: [12, 0, 0, 8],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 8 }, y: false },
      scales: { x: { time: true }, y: { range: (_, min, max) => rangeOf(min, max) } },
      series: [{}, ...series],
      axes: [
        {
          stroke: ink,
          grid: { show: false },
          ticks: { show: false },
          font,
          size: 32,
          space: box.clientWidth < 520 ? 70 : 90,
          values: timeLabels,
        },
        {
          side: 1,
          stroke: ink,
          grid,
          ticks: { show: false },
          font,
          gap: 8,
          size: axisSize,
          values: priceLabels,
        },
      ],
      hooks: { setCursor: [u => view && showReadout(view, u)] },
    }
  }
  return { show, request }
}

/** @param {View} view @param {string} provider @returns {uPlot.Series} */
function seriesOf({ providers, allProviders }, provider) {
  const color = themeColor(colorName(allProviders, provider))
  const single = providers.length === 1
  return {
    label: provider,
    stroke: color,
    width: single ? 2 : 1.75,
    points: { show: u => (u.data[0]?.length ?? 0) < 3, size: 7, fill: color },
    ...(single && { fill: u => fade(u, color) }),
  }
}

/** From the line's colour to nothing. @param {uPlot} u @param {string} color */
function fade(u, color) {
  const { top, height } = u.bbox
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + Math.max(1, height))
  gradient.addColorStop(0, color.replace('rgb(', 'rgba(').replace(')', ', 0.22)'))
  gradient.addColorStop(1, color.replace('rgb(', 'rgba(').replace(')', ', 0)'))
  return gradient
}

/** Some air above and below; a flat line stands in the middle. @param {number | null} min @param {number | null} max @returns {[number, number]} */
function rangeOf(min, max) {
  if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return [0, 1]
  const air = (max - min) * 0.12 || Math.abs(max) * 0.001 || 1
  return [min - air, max + air]
}

/** @param {uPlot} _ @param {number[]} splits */
const priceLabels = (_, splits) => {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1
  const decimals = Math.min(20, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))
  return splits.map(value => group(value.toFixed(decimals)))
}

/** The page's own font. @param {Element} element @param {number} [scale] */
const fontOf = (element, scale = 1) => `${12 * scale}px ${getComputedStyle(element).fontFamily}`

/** As wide as the longest label, so that none is cut. @param {uPlot} u @param {string[] | null} values */
const axisSize = (u, values) => {
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

/** @param {uPlot} u @param {number[]} splits */
const timeLabels = (u, splits) => {
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

/** The prices under the cursor; without one, between which prices the range lies. @param {View} view @param {uPlot} plot */
function showReadout(view, plot) {
  const index = plot.cursor.idx
  const seconds = typeof index === 'number' ? plot.data[0]?.[index] : undefined
  const text = seconds === undefined ? rangeText(view) : pointText(view, seconds * 1000)
  setText(byId('readout'), text)
  byId('chart').setAttribute('aria-valuetext', text || 'no prices yet')
}

/** @param {View} view @param {number} time */
function pointText({ data, providers, currency }, time) {
  const parts = providers.flatMap(provider => {
    const point = data.at(provider, time)
    return point ? [`${provider} ${formatPrice(point.close)}`] : []
  })
  return `${[formatDay(time), ...parts].join('  ·  ')} ${currency}`
}

/** @param {View} view */
function rangeText({ data, providers, currency, rangeLabel }) {
  const all = providers.flatMap(provider => data.summary(provider) ?? [])
  const [low] = all.map(s => s.low).sort(compareExact)
  const high = all
    .map(s => s.high)
    .sort(compareExact)
    .at(-1)
  if (!low || !high) return ''
  return `Lowest ${formatPrice(low)}  ·  highest ${formatPrice(high)} ${currency}, ${rangeLabel}`
}

/** Whether the key was one that moves. @param {KeyboardEvent} event @param {uPlot} plot */
function moveCursor(event, plot) {
  const times = plot.data[0] ?? []
  const now = plot.cursor.idx ?? times.length
  const jump = event.shiftKey ? 10 : 1
  /** @type {Record<string, number>} */
  const targets = { ArrowLeft: now - jump, ArrowRight: now + jump, Home: 0, End: times.length - 1 }
  const target = targets[event.key]
  if (target === undefined || times.length === 0) return false
  const time = times[Math.min(times.length - 1, Math.max(0, target))] ?? 0
  plot.setCursor({ left: plot.valToPos(time, 'x'), top: plot.over.clientHeight / 2 })
  return true
}
