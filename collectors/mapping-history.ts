import { EpochMicros } from '../core/brands.ts'
import { CryptosError, isCryptosError } from '../core/errors.ts'
import type { Quote } from '../core/records.ts'
import { DAY, toIso } from '../core/time.ts'
import { isSamePrice, quoteOf, type Reading, twoPrices } from './mapping.ts'
import type { AssetRef, Mapped, MappingContext } from './provider.ts'

/** One past price; the asset and the currency are those of the page. */
export interface Point extends Pick<Reading, 'price' | 'marketCap' | 'volume24h'> {
  readonly observedAt: EpochMicros
}

/**
 * Past prices of the one asset of a page, each read for itself. Points outside of the asked range do not count; of several points of
 * one time the first counts where all say the same price, and else none: nothing tells which of them is right. What could not be read is told in `missing`, beside the records of the rest.
 * @param reads one reader a point; gives undefined for a point without a price
 * @throws CryptosError CRY_PROVIDER_PAYLOAD when not one point could be read and one of them has a wrong shape
 */
export function mapHistory(reads: readonly (() => Point | undefined)[], context: MappingContext): Mapped {
  const ref = onlyAsset(context)
  const found = new Points(ref, context)
  for (const read of reads) found.add(read)
  const { asset, sourceId } = ref
  const records = found.records()
  const reason = found.reason(reads.length)
  return { records, missing: reason === undefined ? [] : [{ asset, sourceId, reason }] }
}

class Points {
  readonly #ref: AssetRef
  readonly #context: MappingContext
  /** undefined = a time with two prices. */
  readonly #byTime = new Map<EpochMicros, Quote | undefined>()
  readonly #errors: CryptosError[] = []
  #empty = 0
  constructor(ref: AssetRef, context: MappingContext) {
    this.#ref = ref
    this.#context = context
  }

  add(read: () => Point | undefined): void {
    try {
      const point = read()
      if (point === undefined) this.#empty += 1
      else if (isAsked(point.observedAt, this.#context)) this.#put(point)
    } catch (error) {
      if (!isCryptosError(error)) throw error
      this.#errors.push(error)
    }
  }

  #put(point: Point): void {
    const reading = { ...point, ref: this.#ref, currency: this.#context.page.currency }
    const at = point.observedAt
    if (!this.#byTime.has(at)) this.#byTime.set(at, quoteOf(reading, this.#context))
    else {
      const earlier = this.#byTime.get(at)
      if (earlier && !isSamePrice(earlier, reading)) this.#byTime.set(at, undefined)
    }
  }

  /** @throws CryptosError CRY_PROVIDER_PAYLOAD when not one point could be read and one of them has a wrong shape */
  records(): readonly Quote[] {
    if (this.#byTime.size === 0 && this.#errors[0]) throw this.#errors[0]
    return [...this.#byTime.values()].filter(quote => quote !== undefined)
  }

  /** Why there are fewer records than points; undefined = there are not. */
  reason(points: number): string | undefined {
    const [error] = this.#errors
    if (error) return `${this.#errors.length} of ${points} points could not be read: ${error.message}`
    const doubtful = [...this.#byTime].filter(([, quote]) => quote === undefined).map(([at]) => at)
    if (doubtful[0] !== undefined)
      return `${twoPrices} of ${toIso(doubtful[0])}${doubtful.length > 1 ? ` and of ${doubtful.length - 1} more times` : ''}`
    if (this.#empty > 0) return `${this.#empty} of ${points} points have no price`
    return this.#byTime.size === 0 ? 'no point in the asked range' : undefined
  }
}

/** @throws CryptosError CRY_PROVIDER_PAYLOAD where the page does not name one asset: the body does not tell it */
function onlyAsset({ page }: MappingContext): AssetRef {
  const [ref, second] = page.assets
  if (ref && !second) return ref
  throw new CryptosError('CRY_PROVIDER_PAYLOAD', '$: a history that does not say of which asset it is')
}

const isAsked = (at: EpochMicros, { page: { range } }: MappingContext): boolean =>
  range === undefined || (at >= range.from && at < range.to)

/** A price at midnight UTC closes the day before: one microsecond earlier, so that it falls into its day. Other times stay. */
export const asDayClose = (at: EpochMicros): EpochMicros =>
  at % (DAY * 1_000) === 0 ? EpochMicros(at - 1) : at
