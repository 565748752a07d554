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
  /** Standard deviation of the noise of its own, as a share of the price: one venue is not the other. */
  readonly noise: number
  /** Minutes that usually lie between two changes of its digits, and between two steps of its clock. */
  rhythm(index: number): { readonly digits: number; readonly clock: number }
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

/** Minutes between two changes of a thin price, and between two trades of the quiet market, on average. */
const thinMinutes = 90
const quietMinutes = 20

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
  const rhythm: SimSource['rhythm'] = index => ({
    digits: series[index]!.asset.thin ? thinMinutes : 1,
    clock: 1,
  })
  const told = { provider: 'kraken', observedBy: 'receiver', everyMinutes: 1, noise: 3e-4 } as const
  return { ...told, series, digits: a => a.digits, rhythm, show }
}

const isQuiet = (asset: SimAsset): boolean => asset.id === 'litecoin'

/** An exchange whose time is that of the last trade; one of its markets is quiet: a trade every 20 minutes (40 on weekends),
 * sometimes after hours. */
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
    const pace = quietMinutes * (making.market.isWeekend(minute) ? 2 : 1)
    const quiet = isQuiet(asset) ? -pace * Math.log(1 - making.rng()) : 0
    memory.set(index, { base, shown, until: minute + quiet })
    return shown
  }
  const rhythm: SimSource['rhythm'] = index => {
    const { asset } = series[index]!
    const minutes = asset.thin ? thinMinutes : isQuiet(asset) ? quietMinutes : 1
    return { digits: minutes, clock: minutes }
  }
  const told = { provider: 'coinbase', observedBy: 'source', everyMinutes: 1, noise: 4e-4 } as const
  return { ...told, series, digits: a => a.digits, rhythm, show }
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
  const rhythm: SimSource['rhythm'] = index => {
    const clock = Math.max(grid, rest.everyMinutes)
    return { digits: rest.series[index]!.asset.thin ? thinMinutes : clock, clock }
  }
  return { ...rest, observedBy: 'source', noise: basisPoints * 1e-4, rhythm, show }
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
