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
  const starts = new Map<string, Start>()
  const startOf = (asset: string, venue: string, anchor: () => string): Start => {
    const name = `${venue}/${asset}`
    const known = starts.get(name)
    if (known) return known
    const start = {
      anchor: parseFixed(anchor()),
      key: hashPair(seed, hashText(asset)),
      venueKey: hashPair(seed, hashText(name)),
    }
    starts.set(name, start)
    return start
  }
  return {
    priceAt(query) {
      const { asset, venue, at } = query
      const usd = walkTo(
        startOf(asset, venue, () => anchorOf(asset)),
        at,
      )
      if (query.currency === 'USD') return print(rescale(usd, query.decimals), query)
      const currency = anchorOfCurrency(query.currency)
      if (currency === undefined) return undefined
      const rate = walkTo(
        startOf(currency.key, venue, () => currency.usd),
        at,
      )
      return print(divide(usd, rate, query.decimals), query)
    },
  }
}

/** Where a walk begins, and the keys of its noise: worked out once an asset and venue. */
interface Start {
  readonly anchor: Fixed
  readonly key: number
  readonly venueKey: number
}

const walkTo = ({ anchor, key, venueKey }: Start, at: EpochMicros): Fixed =>
  multiply(multiply(anchor, factorAt(key, at)), venueFactor(venueKey, at))

const print = (value: Fixed, query: PriceQuery): DecimalString =>
  DecimalString(query.style === 'fixed' ? formatFixed(value) : formatNumber(value))
