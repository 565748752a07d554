import { compareExact } from './format.js'

/**
 * One bucket of one provider. The texts are exact; floats are made of them for drawing only.
 * @typedef {{ time: number, high: string, low: string, close: string }} Point
 * @typedef {{ provider: string, time: string, high: string, low: string, close: string }} ApiPoint
 */

/** The points of one asset, provider by provider, in the order of their times. */
export class ChartData {
  /** @type {Map<string, Point[]>} */
  series = new Map()

  /** @param {readonly ApiPoint[]} points */
  constructor(points = []) {
    for (const { provider, time, high, low, close } of points)
      this.#seriesOf(provider).push({ time: Date.parse(time), high, low, close })
    for (const series of this.series.values()) series.sort((a, b) => a.time - b.time)
  }

  /** Into the bucket of its time: the newest one grows, an older price changes nothing. @param {string} provider @param {number} time @param {string} price @param {number} bucketMs */
  add(provider, time, price, bucketMs) {
    const series = this.#seriesOf(provider)
    const last = series.at(-1)
    const bucket = Math.floor(time / bucketMs) * bucketMs
    if (!last || bucket > last.time) {
      series.push({ time: last ? bucket : time, high: price, low: price, close: price })
      return
    }
    if (time < last.time) return
    const high = compareExact(price, last.high) > 0 ? price : last.high
    const low = compareExact(price, last.low) < 0 ? price : last.low
    series[series.length - 1] = { time: last.time, high, low, close: price }
  }

  /** Drops what has left the range; the last point of a provider stays. @param {number} from */
  prune(from) {
    for (const [provider, series] of this.series) {
      const first = series.findIndex(p => p.time >= from)
      if (first !== 0) this.series.set(provider, first < 0 ? series.slice(-1) : series.slice(first))
    }
  }

  /**
   * What uPlot draws: all times, and a column per provider. `undefined` = another provider's time (drawn through),
   * `null` = a hole (not drawn through).
   * @param {readonly string[]} providers
   * @returns {{ times: number[], columns: (number | null | undefined)[][] }}
   */
  columns(providers) {
    const all = providers.map(provider => withHoles(this.series.get(provider) ?? []))
    const times = [...new Set(all.flatMap(series => series.map(([time]) => time)))].sort((a, b) => a - b)
    const columns = all.map(series => {
      const byTime = new Map(series)
      return times.map(time => byTime.get(time))
    })
    return { times: times.map(time => time / 1000), columns }
  }

  /** Last, lowest and highest price of a provider in the range. @param {string} provider */
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
    return { first: first.close, last: last.close, high, low }
  }

  /** The newest point at or before a time. @param {string} provider @param {number} time */
  at(provider, time) {
    return this.series.get(provider)?.findLast(p => p.time <= time)
  }

  /** @param {string} provider */
  #seriesOf(provider) {
    const series = this.series.get(provider) ?? []
    this.series.set(provider, series)
    return series
  }
}

/** A hole is a pause of more than this many usual pauses between two points. */
const holeFactor = 6

/** @param {readonly Point[]} series @returns {[number, number | null][]} */
function withHoles(series) {
  const pauses = series.slice(1).map((p, i) => p.time - (series[i]?.time ?? p.time))
  const usual = pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0
  return series.flatMap((point, i) => {
    const drawn = /** @type {[number, number | null]} */ ([point.time, Number(point.close)])
    const pause = pauses[i] ?? 0
    const isHole = pauses.length >= 3 && pause > usual * holeFactor
    return isHole ? [drawn, /** @type {[number, null]} */ ([point.time + Math.round(usual), null])] : [drawn]
  })
}
