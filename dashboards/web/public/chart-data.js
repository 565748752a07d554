import { compareExact } from './format.js'

/**
 * One bucket of one provider. `start` is where the bucket begins, `time` where its close is drawn: when it was observed, or
 * the end of its bucket where that is not known (its middle, where the close is its only price). The texts are exact; floats are made of them for drawing only.
 * @typedef {{ start: number, time: number, open: string, high: string, low: string, close: string, count: number,
 *   isGuess?: boolean }} Point `isGuess`: a loaded bucket whose newest price is not known with its time
 * @typedef {{ provider: string, time: string, open: string, high: string, low: string, close: string, count: number }} ApiPoint
 * @typedef {{ points: readonly ApiPoint[], stepMs: number, to: string }} ApiHistory
 */

/** The points of one asset, provider by provider, in the order of their times. */
export class ChartData {
  /** @type {Map<string, Point[]>} */
  series = new Map()
  /** Width of the loaded buckets; 0 where none were loaded. */
  stepMs = 0

  /** @param {ApiHistory} [history] @param {ReadonlyMap<string, number>} [newest] when each provider's newest price was observed */
  constructor(history, newest = new Map()) {
    if (!history) return
    const { points, stepMs, to } = history
    this.stepMs = stepMs
    for (const { provider, time, ...prices } of points) {
      const start = Date.parse(time)
      const seen = newest.get(provider) ?? 0
      const close = start + (prices.count === 1 ? stepMs / 2 : stepMs)
      const end = Math.min(start + stepMs, Math.max(start, Date.parse(to)))
      this.#seriesOf(provider).push({
        start,
        time: seen >= start && seen < end ? seen : Math.min(close, end),
        isGuess: seen < start,
        ...pricesOf(prices),
      })
    }
    for (const series of this.series.values()) series.sort((a, b) => a.time - b.time)
  }

  /**
   * Into the bucket of its time: the newest one grows up to the price's own time, an older price changes nothing.
   * @param {string} provider @param {number} time @param {string} price @param {number} bucketMs
   */
  add(provider, time, price, bucketMs) {
    const series = this.#seriesOf(provider)
    const last = series.at(-1)
    const bucket = Math.floor(time / bucketMs) * bucketMs
    if (last?.isGuess && time >= last.start && time < last.start + this.stepMs) {
      // The history may know this price already, without its time.
      series[series.length - 1] =
        price === last.close ? { ...last, time, isGuess: false } : grown(last, time, price)
      return
    }
    if (last && time < last.time) return
    if (!last || (bucket > last.start && time > last.time)) {
      const start = last ? bucket : time
      series.push({ start, time, open: price, high: price, low: price, close: price, count: 1 })
      return
    }
    series[series.length - 1] = grown(last, time, price)
  }

  /** Drops what has left the range. @param {number} from */
  prune(from) {
    for (const [provider, series] of this.series) {
      const first = series.findIndex(p => p.time >= from)
      if (first !== 0) this.series.set(provider, first < 0 ? [] : series.slice(first))
    }
  }

  /**
   * What uPlot draws: all times, and a column per provider. `undefined` = another provider's time (drawn through),
   * `null` = a hole (not drawn through).
   * @param {readonly string[]} providers
   * @returns {{ times: number[], columns: (number | null | undefined)[][] }}
   */
  columns(providers) {
    const all = providers.map(provider => {
      const series = this.series.get(provider) ?? []
      const opening = openingOf(series)
      const drawn = this.#withHoles(series)
      return opening
        ? [/** @type {[number, number]} */ ([opening.time, Number(opening.close)]), ...drawn]
        : drawn
    })
    const times = [...new Set(all.flatMap(series => series.map(([time]) => time)))].sort((a, b) => a - b)
    const columns = all.map(series => {
      const byTime = new Map(series)
      return times.map(time => byTime.get(time))
    })
    return { times: times.map(time => time / 1000), columns }
  }

  /**
   * What a provider's points span: from the first bucket's open to the last close. `slackMs` is by how much they may begin
   * after a range and still fill it.
   * @param {string} provider
   */
  summary(provider) {
    const series = this.series.get(provider) ?? []
    const [first] = series
    const last = series.at(-1)
    if (!first || !last) return undefined
    let { high, low } = first
    for (const point of series) {
      if (compareExact(point.high, high) > 0) high = point.high
      if (compareExact(point.low, low) < 0) low = point.low
    }
    const isOne = series.length === 1 && first.count <= 1
    const slackMs = this.stepMs + 1.5 * usualOf(pausesOf(series))
    return { open: first.open, last: last.close, high, low, start: first.start, isOne, slackMs }
  }

  /** The newest point at or before a time. @param {string} provider @param {number} time */
  at(provider, time) {
    const series = this.series.get(provider) ?? []
    const opening = openingOf(series)
    return series.findLast(p => p.time <= time) ?? (opening && opening.time <= time ? opening : undefined)
  }

  /** When a provider's drawn points begin. @param {string} provider */
  begin(provider) {
    const series = this.series.get(provider) ?? []
    return (openingOf(series) ?? series[0])?.time
  }

  /** @param {string} provider */
  #seriesOf(provider) {
    const series = this.series.get(provider) ?? []
    this.series.set(provider, series)
    return series
  }

  /** A loaded bucket is no hole, however close to each other the live prices beside it are. @param {readonly Point[]} series @returns {[number, number | null][]} */
  #withHoles(series) {
    const pauses = pausesOf(series)
    const usual = usualOf(pauses)
    const longest = Math.max(usual * holeFactor, 3 * this.stepMs)
    return series.flatMap((point, i) => {
      const drawn = /** @type {[number, number | null]} */ ([point.time, Number(point.close)])
      const isHole = pauses.length >= 3 && (pauses[i] ?? 0) > longest
      return isHole
        ? [drawn, /** @type {[number, null]} */ ([point.time + Math.round(usual), null])]
        : [drawn]
    })
  }
}

/** @param {Point} last @param {number} time @param {string} price @returns {Point} */
function grown(last, time, price) {
  const high = compareExact(price, last.high) > 0 ? price : last.high
  const low = compareExact(price, last.low) < 0 ? price : last.low
  // The same time is the same price again: the stream may say it twice.
  const count = last.count + (time === last.time ? 0 : 1)
  return { ...last, time, high, low, close: price, count, isGuess: false }
}

/** The first bucket's open, which the change is told from, as a point of its own. @param {readonly Point[]} series @returns {Point | undefined} */
function openingOf([first]) {
  if (!first || first.count <= 1 || first.start >= first.time) return undefined
  return { ...first, time: first.start, close: first.open }
}

/** @param {Omit<ApiPoint, 'provider' | 'time'>} point */
const pricesOf = ({ open, high, low, close, count }) => ({ open, high, low, close, count })

/** A hole is a pause of more than this many usual pauses between two points. */
const holeFactor = 6

/** @param {readonly Point[]} series */
const pausesOf = series => series.slice(1).map((p, i) => p.time - (series[i]?.time ?? p.time))

/** @param {readonly number[]} pauses */
const usualOf = pauses => pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0

/**
 * Which points of a column no line reaches: a line needs two, these are drawn as dots.
 * @param {readonly (number | null | undefined)[]} column
 * @returns {number[]}
 */
export function loneOf(column) {
  const own = column.flatMap((value, i) => (value === undefined ? [] : [{ value, i }]))
  const isDrawn = (/** @type {number} */ at) => typeof own[at]?.value === 'number'
  return own.flatMap(({ i }, at) => (isDrawn(at) && !isDrawn(at - 1) && !isDrawn(at + 1) ? [i] : []))
}
