import { between, type Market, normal, type Rng, type SimAsset, simAssets } from './market.contract.ts'

/** What a source shows at a time: price, time of its own clock (minutes), digits of the text. */
export interface Shown {
  readonly price: number
  readonly observedMinute: number
}

export interface SimSource {
  readonly provider: string
  readonly observedBy: 'source' | 'receiver'
  /** Minutes between two calls. */
  readonly everyMinutes: number
  readonly series: readonly { readonly asset: SimAsset; readonly currency: string }[]
  readonly digits: (asset: SimAsset) => number
  show(index: number, minute: number): Shown
}

const bitcoin = simAssets[0]!
const inUsd = simAssets.map(asset => ({ asset, currency: 'USD' }))
const inEur = simAssets.slice(0, 3).map(asset => ({ asset, currency: 'EUR' }))
const ofBitcoin = ['USD', 'EUR', 'GBP'].map(currency => ({ asset: bitcoin, currency }))

interface Making {
  readonly market: Market
  readonly rng: Rng
}

/** Slow noise of a few basis points, of its own for each series: one venue is not the other. */
function noiseOf({ rng }: Making, count: number, basisPoints: number): (index: number) => number {
  const state = new Float64Array(count)
  return index => {
    state[index] = 0.9 * state[index]! + 0.44 * normal(rng) * basisPoints * 1e-4
    return 1 + state[index]!
  }
}

const usd = ({ market }: Making, { asset, currency }: SimSource['series'][number], minute: number): number =>
  market.price(asset, minute) * market.rate(currency, minute)

/** An exchange without a clock in its answer. Ticks of 10 s, thinned to a minute. */
function exchange(making: Making): SimSource {
  const series = [...inUsd, ...inEur]
  const noise = noiseOf(making, series.length, 3)
  const memory = new Map<number, { readonly base: number; readonly price: number }>()
  const show = (index: number, minute: number): Shown => {
    const base = usd(making, series[index]!, minute)
    const last = memory.get(index)
    // Of a thin asset nobody trades while its price rests.
    const rests = series[index]!.asset.thin === true && last?.base === base
    const price = rests ? last.price : base * noise(index)
    memory.set(index, { base, price })
    return { price, observedMinute: minute }
  }
  return { provider: 'kraken', observedBy: 'receiver', everyMinutes: 1, series, digits: a => a.digits, show }
}

/** An exchange whose time is that of the last trade; one of its markets is quiet: a trade every 20 minutes, sometimes after hours. */
function lastTrade(making: Making): SimSource {
  const series = [...inUsd, ...inEur]
  const noise = noiseOf(making, series.length, 4)
  const memory = new Map<number, { readonly base: number; readonly shown: Shown; readonly until: number }>()
  const show = (index: number, minute: number): Shown => {
    const { asset } = series[index]!
    const last = memory.get(index)
    const base = usd(making, series[index]!, minute)
    if (last && (minute < last.until || (asset.thin && base === last.base))) return last.shown
    const shown = { price: base * noise(index), observedMinute: minute - 0.05 * making.rng() }
    const quiet = asset.id === 'litecoin' ? -20 * Math.log(1 - making.rng()) : 0
    memory.set(index, { base, shown, until: minute + quiet })
    return shown
  }
  return { provider: 'coinbase', observedBy: 'source', everyMinutes: 1, series, digits: a => a.digits, show }
}

/** A source that works its values out on a grid and tells them later. */
function aggregator(
  making: Making,
  how: Pick<SimSource, 'provider' | 'everyMinutes' | 'series' | 'digits'> & {
    readonly grid: number
    readonly behind: number
    readonly basisPoints: number
  },
): SimSource {
  const { grid, behind, basisPoints, ...rest } = how
  const noise = noiseOf(making, rest.series.length, basisPoints)
  const phases = rest.series.map(() => (grid > 1 ? between(making.rng, 0, grid) : 0))
  const memory = new Map<number, Shown & { readonly base: number }>()
  const show = (index: number, minute: number): Shown => {
    const phase = phases[index]!
    const observedMinute = Math.floor((minute - behind - phase) / grid) * grid + phase
    const last = memory.get(index)
    if (last?.observedMinute === observedMinute) return last
    const base = usd(making, rest.series[index]!, observedMinute)
    // The price of a thin asset rests although the clock goes on.
    const rests = rest.series[index]!.asset.thin === true && last?.base === base
    const made = { base, price: rests ? last.price : base * noise(index), observedMinute }
    memory.set(index, made)
    return made
  }
  return { ...rest, observedBy: 'source', show }
}

/** Six sources with the rhythms that their namesakes have. */
export function makeSources(making: Making): readonly SimSource[] {
  const bpi = { series: ofBitcoin, grid: 1, behind: 0.2, basisPoints: 4 }
  return [
    exchange(making),
    lastTrade(making),
    aggregator(making, {
      ...{ provider: 'coinmarketcap', everyMinutes: 3, series: inUsd, digits: () => 12 },
      ...{ grid: 1, behind: 0.95, basisPoints: 4 },
    }),
    aggregator(making, {
      ...{ provider: 'coinpaprika', everyMinutes: 5, series: inUsd, digits: () => 10 },
      ...{ grid: 10, behind: 0.5, basisPoints: 6 },
    }),
    aggregator(making, {
      ...{ provider: 'mempool', everyMinutes: 2, series: ofBitcoin, digits: () => 0 },
      ...{ grid: 5, behind: 0.3, basisPoints: 5 },
    }),
    aggregator(making, { provider: 'coindesk', everyMinutes: 1, digits: () => 4, ...bpi }),
  ]
}
