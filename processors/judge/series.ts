import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Currency, FlagKind, Quote } from '../../core/records.ts'
import { lnOf } from './figures.ts'
import type { JudgeParameters } from './parameters.ts'
import { Range } from './range.ts'
import { Rest } from './rest.ts'
import { SourceClock } from './source-clock.ts'

/** `live` and `sandbox` never meet: each has sources, consensus and roles of its own. */
export type World = 'live' | 'sandbox'

/** A doubt that is not lifted yet. */
export interface Doubt {
  readonly since: EpochMicros
  /** `observedAt` of the newest doubtful row. */
  readonly row: EpochMicros
  /** Clean values in a row since the last doubtful one. */
  readonly clean: number
}

/** Weight of a new distance in the usual one. */
const weight = 0.02
/** Of 100 % a year, nearly. */
const firstVolatility = 5e-6
const longestStep = 5

/** What is known of one price of one source. */
export class Series {
  readonly world: World
  readonly provider: ProviderId
  readonly asset: AssetId
  readonly currency: Currency
  readonly clock: SourceClock
  readonly rest: Rest
  /** Prices that nobody doubted, by the minute that they are of. */
  readonly range = new Range()
  readonly doubts = new Map<FlagKind, Doubt>()
  readonly firstAt: EpochMicros
  /** Newest answer. */
  latest: Quote
  ln: number
  /** Newest price that nobody doubted. */
  cleanLn = Number.NaN
  cleanAt: EpochMicros | undefined
  /** Usual distance from the median of the others, in logarithms; NaN = never had others. */
  usualDistance = Number.NaN
  /** Usual size of a change of the digits, in logarithms by the square root of the milliseconds of the rest before. */
  volatility = 0
  /** Answers in a row whose digits stood under another currency of the provider too. */
  sameDigits = 0
  /** Doubted by the word of one other source alone, which is known for longer. */
  isNew = false
  /** Why newer values were passed over: they lie in the future. */
  ahead: string | undefined
  missing = 0
  wrongShape = 0
  lastGapAt = -1
  /** Calls in vain since the newest value; undefined after a value. */
  failed: { readonly since: EpochMicros; readonly calls: number; readonly reason: string } | undefined
  readonly #aheadMs: number
  constructor(world: World, quote: Quote, parameters: JudgeParameters) {
    this.#aheadMs = parameters.aheadMs
    this.world = world
    this.provider = quote.provider
    this.asset = quote.asset
    this.currency = quote.currency
    this.clock = new SourceClock(quote.observedAt, quote.receivedAt, parameters)
    this.rest = new Rest(quote.receivedAt)
    this.firstAt = quote.receivedAt
    this.latest = quote
    this.ln = lnOf(quote.price)
  }

  /** Still a voice where it is asked who is off: two outliers that agree may be right, and so may a newcomer and a third. */
  get hasVoice(): boolean {
    if (this.doubts.size === 0) return true
    return (
      this.doubts.size === 1 && (this.doubts.has('outlier') || (this.isNew && this.doubts.has('unit-jump')))
    )
  }

  /** Its digits are doubted, and still the same. */
  get isFrozen(): boolean {
    const doubt = this.doubts.get('frozen-value')
    return doubt !== undefined && this.rest.since <= doubt.since
  }

  get isSane(): boolean {
    return this.doubts.size === 0
  }

  /** Time before a value during which the market may have been where the source says it is. */
  get slackMicros(): number {
    return Math.max(60_000, this.clock.stepMs) * 1_000
  }

  /** Neither too long ago, nor so far ahead that a clock must be wrong. */
  isHeard(at: EpochMicros, maxAgeMs: number): boolean {
    const ageMs = (at - this.latest.receivedAt) / 1_000
    return ageMs <= Math.max(maxAgeMs, 3 * this.clock.stepMs) && ageMs >= -this.#aheadMs
  }

  /** A price that nobody doubts. `distance` from the others, NaN = none. */
  trust(quote: Quote, distance: number): void {
    if (this.cleanAt !== undefined && this.ln !== this.cleanLn && this.rest.endedMs > 0)
      this.#step(Math.abs(this.ln - this.cleanLn) / Math.sqrt(this.rest.endedMs))
    this.cleanLn = this.ln
    this.cleanAt = quote.receivedAt
    this.range.add(quote.observedAt, this.ln)
    if (Number.isNaN(distance)) return
    const size = Math.abs(distance)
    this.usualDistance = Number.isNaN(this.usualDistance)
      ? size
      : this.usualDistance +
        weight * (Math.min(size, longestStep * this.usualDistance + 1e-6) - this.usualDistance)
  }

  /** How far the price usually goes in a rest of that length, in logarithms. */
  get usualStep(): number {
    return this.volatility * Math.sqrt(this.rest.endedMs)
  }

  /** A single large step says no more than a few usual ones. */
  #step(size: number): void {
    if (this.volatility === 0) this.volatility = Math.min(size, firstVolatility)
    else this.volatility += weight * (Math.min(size, longestStep * this.volatility) - this.volatility)
  }
}
