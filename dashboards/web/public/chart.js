import uPlot from '/vendor/uPlot.esm.js'
import { airAround, axisSize, fontOf, priceLabels, timeLabels } from './chart-axes.js'
import { sliderValues, stopAfter, stopsOf } from './chart-cursor.js'
import { loneOf } from './chart-data.js'
import { extentOf, fillSummary, lineName, pointText, rangeText, shortPointText } from './chart-text.js'
import { byId, colorName, setText, themeColor } from './dom.js'
import { consensusName } from './model.js'

/**
 * @typedef {object} View
 * @property {import('./chart-data.js').ChartData} data
 * @property {readonly string[]} providers those that are drawn
 * @property {readonly string[]} allProviders in the order of their colours
 * @property {string} name
 * @property {string} currency
 * @property {number} decimals
 * @property {string} span which time the prices span, in words
 * @property {number} from
 * @property {number} to
 */

/** Draws prices as lines, at most once per animation frame. */
export function makeChart() {
  const place = byId('chart')
  /** @type {uPlot | undefined} */
  let plot
  /** @type {View | undefined} */
  let view
  let drawnAs = ''
  let frame = 0
  /** The time that the keyboard chose, in seconds; infinite = the newest, whichever that is. @type {number | undefined} */
  let kept

  const draw = () => {
    frame = 0
    if (!view) return
    const { times, columns } = view.data.columns(view.providers)
    byId('chart-empty').hidden = times.length > 0
    place.classList.toggle('bare', times.length === 0)
    if (times.length === 0) {
      plot?.destroy()
      plot = undefined
      tell(true)
      return fillSummary(view)
    }
    const size = [place.clientWidth, place.clientHeight]
    const { providers, allProviders, currency } = view
    const looks = JSON.stringify([providers, allProviders, currency, themeColor('--ink'), size])
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
    if (kept !== undefined) point(kept)
    tell(document.activeElement !== place)
  }
  const request = () => {
    if (frame === 0) frame = requestAnimationFrame(draw)
  }

  /** The newest point until a time, under the cursor. @param {number} seconds */
  const point = seconds => {
    const times = plot?.data[0] ?? []
    const time = times[stops().findLast(i => (times[i] ?? 0) <= seconds) ?? 0] ?? 0
    plot?.setCursor({ left: plot.valToPos(time, 'x'), top: plot.over.clientHeight / 2 })
  }
  const stops = () => (plot ? stopsOf([...plot.data[0]], plot.data.slice(1), (view?.from ?? 0) / 1000) : [])
  const away = () => {
    kept = undefined
    plot?.setCursor({ left: -10, top: -10 })
    tell(true)
  }

  /** The prices under the cursor; without one, between which prices the range lies. @param {boolean} isHeard not in the middle of being read out */
  const tell = isHeard => {
    if (!view) return
    const index = plot?.cursor.idx
    const seconds = typeof index === 'number' ? plot?.data[0]?.[index] : undefined
    const text = seconds === undefined ? rangeText(view) : pointText(view, seconds * 1000)
    setText(byId('readout'), seconds === undefined ? text : shortPointText(view, seconds * 1000))
    if (!isHeard) return
    const all = stops()
    const now = typeof index === 'number' ? all.indexOf(index) : -1
    for (const [name, value] of Object.entries(sliderValues(now, all.length, text)))
      place.setAttribute(name, value)
  }

  new ResizeObserver(request).observe(place)
  place.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === 'Escape') return away()
    const all = stops()
    const target = stopAfter(event, all.indexOf(plot?.cursor.idx ?? -1), all.length)
    if (target === undefined) return
    event.preventDefault()
    const isNewest = target === all.length - 1
    kept = isNewest ? Number.POSITIVE_INFINITY : plot?.data[0]?.[all[target] ?? 0]
    if (kept !== undefined) point(kept)
    tell(true)
  })
  place.addEventListener('blur', away)
  place.addEventListener('pointermove', () => {
    kept = undefined
  })

  /** @param {View} next */
  const show = next => {
    view = next
    request()
  }
  /** @param {View} v @param {HTMLElement} box @returns {uPlot.Options} */
  const optionsOf = (v, box) => ({
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [12, 0, 0, 8],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 8 }, y: false },
    // What the words call lowest and highest is inside, though only the closes are drawn.
    scales: { x: { time: true }, y: { range: () => airAround(...extentOf(view ?? v)) } },
    series: [{}, ...v.providers.map(provider => seriesOf(v, provider))],
    axes: axesOf(box),
    hooks: { setCursor: [() => tell(document.activeElement !== place)] },
  })
  return { show, request }
}

/** @param {HTMLElement} box @returns {uPlot.Axis[]} */
function axesOf(box) {
  const both = { stroke: themeColor('--muted'), ticks: { show: false }, font: fontOf(box) }
  const space = box.clientWidth < 520 ? 70 : 90
  const grid = { stroke: themeColor('--grid'), width: 1 }
  return [
    { ...both, grid: { show: false }, size: 32, space, values: timeLabels },
    { ...both, grid, side: 1, gap: 8, size: axisSize, values: priceLabels },
  ]
}

const solidLines = 6

/** @param {View} view @param {string} provider @returns {uPlot.Series} */
function seriesOf({ providers, allProviders }, provider) {
  const color = themeColor(colorName(allProviders, provider))
  const single = providers.length === 1
  // The median is told by its width, and more than six providers by their dashes: colours alone do not do.
  const isMedian = provider === consensusName
  const isDashed = !isMedian && allProviders.indexOf(provider) >= solidLines
  return {
    label: lineName(provider),
    stroke: color,
    width: isMedian ? 3.5 : single ? 2 : 1.75,
    ...(isDashed && { dash: [5, 4] }),
    points: { show: false, filter: lonePoints, size: 7, fill: color },
    ...(single && { fill: u => fade(u, color) }),
  }
}

/** @param {uPlot} u @param {number} index */
const lonePoints = (u, index) => {
  const lone = loneOf([...(u.data[index] ?? [])])
  return lone.length > 0 ? lone : null
}

/** From the line's colour to nothing. @param {uPlot} u @param {string} color */
function fade(u, color) {
  const { top, height } = u.bbox
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + Math.max(1, height))
  gradient.addColorStop(0, color.replace('rgb(', 'rgba(').replace(')', ', 0.22)'))
  gradient.addColorStop(1, color.replace('rgb(', 'rgba(').replace(')', ', 0)'))
  return gradient
}
