/** A market that never was: true prices minute by minute, for the simulation of sources. */

export type Rng = () => number

/** Mulberry32: small, seeded, good enough for a market. */
export function rngOf(seed: number): Rng {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const normal = (rng: Rng): number =>
  Math.sqrt(-2 * Math.log(1 - rng())) * Math.cos(2 * Math.PI * rng())
export const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng()
export const pick = <T>(rng: Rng, list: readonly T[]): T => list[Math.floor(rng() * list.length)]!

export interface SimAsset {
  readonly id: string
  readonly symbol: string
  readonly price: number
  /** Of a year, 0.5 = 50 %. */
  readonly volatility: number
  readonly digits: number
  /** A price that truly rests: hours between two trades anywhere. */
  readonly thin?: boolean
}

export const simAssets: readonly SimAsset[] = [
  { id: 'bitcoin', symbol: 'BTC', price: 84_278, volatility: 0.5, digits: 2 },
  { id: 'ethereum', symbol: 'ETH', price: 2_760, volatility: 0.65, digits: 2 },
  { id: 'solana', symbol: 'SOL', price: 131, volatility: 0.8, digits: 3 },
  { id: 'dogecoin', symbol: 'DOGE', price: 0.1432, volatility: 0.9, digits: 6 },
  { id: 'litecoin', symbol: 'LTC', price: 84, volatility: 0.7, digits: 2 },
  { id: 'pax-gold', symbol: 'PAXG', price: 4_051, volatility: 0.4, digits: 2, thin: true },
]

const minutesOfYear = 525_600
const weekend = 0.15
const crashMinutes = 60

export interface Market {
  readonly minutes: number
  /** At a time in minutes since the start, in US dollars. */
  price(asset: SimAsset, minute: number): number
  /** Units of the currency for a dollar. */
  rate(currency: string, minute: number): number
  isWeekend(minute: number): boolean
}

const isWeekend = (startMs: number, minute: number): boolean =>
  [0, 6].includes(new Date(startMs + minute * 60_000).getUTCDay())

/** Crashes that all assets share: logarithm of the loss up to each minute. 15 % in an hour, the fastest minute about 1 %; half comes back in a day. */
function crashesOf(rng: Rng, minutes: number): Float64Array {
  const path = new Float64Array(minutes + 2)
  const count = Math.max(1, Math.round(minutes / 14_400))
  for (let crash = 0; crash < count; crash += 1) {
    const at = Math.floor(between(rng, (crash + 0.2) / count, (crash + 0.8) / count) * minutes)
    const depth = Math.log1p(-between(rng, 0.12, 0.17))
    for (let minute = at; minute < path.length; minute += 1) {
      const share = Math.min(1, (minute - at) / crashMinutes)
      const back = 0.5 * Math.min(1, Math.max(0, minute - at - crashMinutes) / 1_440)
      path[minute] = path[minute]! + depth * (Math.sin((Math.PI / 2) * share) ** 1.5 - back)
    }
  }
  return path
}

function pathOf(rng: Rng, asset: SimAsset, crashes: Float64Array, startMs: number): Float64Array {
  const path = new Float64Array(crashes.length)
  const step = asset.volatility / Math.sqrt(minutesOfYear)
  let ln = Math.log(asset.price)
  let shown = Number.NaN
  let restsUntil = 0
  for (let minute = 0; minute < path.length; minute += 1) {
    ln += step * normal(rng) * (isWeekend(startMs, minute) ? weekend : 1)
    const value = Math.exp(ln + crashes[minute]! * (asset.thin ? 0.2 : 1))
    if (!asset.thin || minute >= restsUntil) {
      shown = value
      restsUntil = minute + Math.min(720, -90 * Math.log(1 - rng()))
    }
    path[minute] = shown
  }
  return path
}

const firstRates: Readonly<Record<string, number>> = { EUR: 0.921, GBP: 0.786 }

export function makeMarket(seed: number, startMs: number, minutes: number): Market {
  const rng = rngOf(seed)
  const crashes = crashesOf(rng, minutes)
  const paths = new Map(simAssets.map(a => [a.id, pathOf(rng, a, crashes, startMs)]))
  const rates = new Map(
    Object.entries(firstRates).map(([c, first]) => [c, ratesOf(rng, first, crashes.length, startMs)]),
  )
  const price = (asset: SimAsset, minute: number): number => {
    const path = paths.get(asset.id)!
    const whole = Math.max(0, Math.floor(minute))
    const low = path[whole]!
    return asset.thin ? low : low + (path[whole + 1]! - low) * (Math.max(0, minute) - whole)
  }
  const rate = (currency: string, minute: number): number =>
    rates.get(currency)?.[Math.max(0, Math.floor(minute))] ?? 1
  return { minutes, price, rate, isWeekend: minute => isWeekend(startMs, minute) }
}

function ratesOf(rng: Rng, first: number, length: number, startMs: number): Float64Array {
  const path = new Float64Array(length)
  let ln = Math.log(first)
  for (let minute = 0; minute < length; minute += 1) {
    if (!isWeekend(startMs, minute)) ln += (0.07 / Math.sqrt(minutesOfYear)) * normal(rng)
    path[minute] = Math.exp(ln)
  }
  return path
}
