import { Decimal } from 'decimal.js'
import type { DecimalString, ProviderId } from '../../core/brands.ts'
import type { LatestPrice } from '../../core/ports/reader.ts'
import { consensusProvider } from '../../core/records.ts'
import { MINUTE } from '../../core/time.ts'

/** Enough digits that a difference of any two prices (up to 80 digits, exponents to ±308) is exact. */
const Exact = Decimal.clone({ precision: 900 })

/** Prices older than the newest by more than this are no part of a spread: it would compare two times, not two providers. */
export const spreadWindowMs = 15 * MINUTE

export interface Spread {
  /** high − low, exact, never in exponent form. */
  readonly absolute: string
  /** 100 × (high − low) / low, four decimals. */
  readonly percent: string
  readonly low: { readonly provider: ProviderId; readonly price: DecimalString }
  readonly high: { readonly provider: ProviderId; readonly price: DecimalString }
  /** How many providers it compares. */
  readonly providers: number
}

/** What lies between the providers' prices of one asset in one currency; null for fewer than two that are near in time. */
export function spreadOf(prices: readonly LatestPrice[]): Spread | null {
  const ofSources = prices.filter(p => p.provider !== consensusProvider)
  const newest = Math.max(...ofSources.map(p => p.observedAt))
  const compared = ofSources
    .filter(p => newest - p.observedAt <= spreadWindowMs * 1_000)
    .map(p => ({ provider: p.provider, price: p.price, value: new Exact(p.price) }))
    .sort((a, b) => a.value.comparedTo(b.value))
  const low = compared[0]
  const high = compared.at(-1)
  if (!low || !high || compared.length < 2) return null
  const absolute = high.value.minus(low.value)
  return {
    absolute: absolute.toFixed(),
    percent: low.value.isZero() ? '0.0000' : absolute.div(low.value.abs()).times(100).toFixed(4),
    low: { provider: low.provider, price: low.price },
    high: { provider: high.provider, price: high.price },
    providers: compared.length,
  }
}
