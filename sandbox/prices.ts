import type { AssetId, EpochMicros } from '../core/brands.ts'
import { DecimalString } from '../core/brands.ts'
import { divide, formatFixed, formatNumber, multiply, parseFixed, rescale } from './decimal.ts'
import type { Fixed } from './decimal.ts'
import { anchorOf, anchorOfCurrency } from './anchors.ts'
import { hashPair, hashText } from './hash.ts'

export { recordedSeries } from './recorded.ts'

/** Which price is wanted. */
export interface PriceQuery {
  readonly asset: AssetId
  /** `USD`, `EUR`, `BTC` … */
  readonly currency: string
  readonly at: EpochMicros
  /** Whose price: two venues never quote quite the same. */
  readonly venue: string
  /** Fraction digits that the venue quotes. A recorded series keeps its own digits instead. */
  readonly decimals: number
  /** `fixed` = with all fraction digits, as exchanges send strings; `number` = as a program prints a number: no trailing zeros, small ones as `9.6e-12`. */
  readonly style: 'fixed' | 'number'
}

/** Where the sandbox's prices come from. Pure: the same question has the same digits for an answer in every process. */
export interface PriceSource {
  /** `undefined` where the source knows no such price at that time: the provider then does not know the asset either. */
  priceAt(query: PriceQuery): DecimalString | undefined
}

/** Lattice width in microseconds and amplitude of each layer of noise; the fastest makes a chart move every few seconds. */
const layers: readonly (readonly [number, number])[] = [
  [20 * 86_400_000_000, 0.15],
  [86_400_000_000, 0.03],
  [3_600_000_000, 0.006],
  [300_000_000, 0.002],
  [20_000_000, 0.0008],
  [3_000_000, 0.0003],
]
const factorScale = 12

/** -1 … 1, linear between lattice points. Only + - * / of floats: exactly rounded, so equal on every machine. */
function noise(key: number, widthMicros: number, at: number): number {
  const cell = Math.floor(at / widthMicros)
  const part = (at - cell * widthMicros) / widthMicros
  const from = hashPair(key, cell % 4_294_967_296) / 2_147_483_648 - 1
  const to = hashPair(key, (cell + 1) % 4_294_967_296) / 2_147_483_648 - 1
  return from + (to - from) * part
}

function factorAt(key: number, at: EpochMicros): Fixed {
  let factor = 1
  layers.forEach(([width, amplitude], index) => {
    factor += amplitude * noise(hashPair(key, index), width, at)
  })
  return { units: BigInt(Math.round(factor * 10 ** factorScale)), scale: factorScale }
}

/** A venue's own small deviation: half a thousandth, drifting over minutes. */
function venueFactor(key: number, at: EpochMicros): Fixed {
  const factor = 1 + 0.0005 * noise(key, 120_000_000, at)
  return { units: BigInt(Math.round(factor * 10 ** factorScale)), scale: factorScale }
}

/**
 * A walk that is a function of seed, asset and time: layers of value noise around an anchor price, with no state. Any time costs
 * the same, so a month can be asked for backwards. Products are exact (BigInt); only the factor itself is a float, cut to 1e-12.
 */
export function seededWalk(seed: number): PriceSource {
  const priceIn = (asset: string, anchor: string, query: PriceQuery): Fixed => {
    const base = multiply(parseFixed(anchor), factorAt(hashPair(seed, hashText(asset)), query.at))
    return multiply(base, venueFactor(hashPair(seed, hashText(`${query.venue}/${asset}`)), query.at))
  }
  return {
    priceAt(query) {
      const usd = priceIn(query.asset, anchorOf(query.asset), query)
      if (query.currency === 'USD') return print(rescale(usd, query.decimals), query)
      const anchor = anchorOfCurrency(query.currency)
      if (anchor === undefined) return undefined
      const rate = priceIn(anchor.key, anchor.usd, query)
      return print(divide(usd, rate, query.decimals), query)
    },
  }
}

const print = (value: Fixed, query: PriceQuery): DecimalString =>
  DecimalString(query.style === 'fixed' ? formatFixed(value) : formatNumber(value))
