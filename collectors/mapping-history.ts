import { EpochMicros } from '../core/brands.ts'
import { CryptosError, isCryptosError } from '../core/errors.ts'
import type { Quote } from '../core/records.ts'
import { DAY } from '../core/time.ts'
import { owedSteps, type Step, stepOf, tellSteps } from './history-days.ts'
import { isSamePrice, quoteOf, type Reading, twoPrices } from './mapping.ts'
import type { AssetRef, Mapped, MappingContext } from './provider.ts'

/** One past price; the asset and the currency are those of the page. */
export interface Point extends Pick<Reading, 'price' | 'marketCap' | 'volume24h'> {
  readonly observedAt: EpochMicros
}

/** A time of which the answer has no usable price, and why. */
export interface NoPoint {
  readonly observedAt: EpochMicros
  readonly none: string
  /** What was wrong with it, where its shape was. */
  readonly error?: CryptosError
}

type Read = () => Point | NoPoint | undefined

/**
 * Past prices of the one asset of a page, each read for itself. Points outside of the asked range do not count; of several points of
 * one time the first counts where all say the same price, and else none: nothing tells which of them is right. What could not be
 * read, and each asked step (a day that was over) without a price, is told in one entry of `missing`, beside the records of the rest.
 * @param reads one reader a point; gives undefined for a point without a price whose time is not looked at
 * @param stepMs the grid of the prices: `history.stepMs` of the dataset
 * @throws CryptosError CRY_PROVIDER_PAYLOAD when not one point could be read and one of them has a wrong shape
 */
export function mapHistory(reads: readonly Read[], context: MappingContext, stepMs: number): Mapped {
  const ref = onlyAsset(context)
  const found = new Points(ref, context, stepMs)
  for (const read of reads) found.add(read)
  const { asset, sourceId } = ref
  const records = found.records()
  const reasons = found.reasons(reads.length)
  return { records, missing: reasons.length === 0 ? [] : [{ asset, sourceId, reason: reasons.join('; ') }] }
}

class Points {
  readonly #ref: AssetRef
  readonly #context: MappingContext
  readonly #stepMs: number
  readonly #byTime = new Map<EpochMicros, Quote | NoPoint>()
  /** Of points that do not say their time. */
  readonly #errors: CryptosError[] = []
  #empty = 0
  constructor(ref: AssetRef, context: MappingContext, stepMs: number) {
    this.#ref = ref
    this.#context = context
    this.#stepMs = stepMs
  }

  add(read: Read): void {
    try {
      const point = read()
      if (point === undefined) this.#empty += 1
      else if (isAsked(point.observedAt, this.#context)) this.#put(point)
    } catch (error) {
      if (!isCryptosError(error)) throw error
      this.#errors.push(error)
    }
  }

  #put(point: Point | NoPoint): void {
    const at = point.observedAt
    const made =
      'none' in point
        ? point
        : quoteOf({ ...point, ref: this.#ref, currency: this.#context.page.currency }, this.#context)
    const earlier = this.#byTime.get(at)
    if (earlier === undefined) this.#byTime.set(at, made)
    else if (!isSame(earlier, made)) this.#byTime.set(at, { observedAt: at, none: twoPrices })
  }

  /** @throws CryptosError CRY_PROVIDER_PAYLOAD when not one point could be read and one of them has a wrong shape */
  records(): readonly Quote[] {
    const all = [...this.#byTime.values()]
    const quotes = all.flatMap(one => ('none' in one ? [] : [one]))
    const [error] = [...this.#errors, ...all.flatMap(one => ('none' in one && one.error ? [one.error] : []))]
    if (quotes.length === 0 && error) throw error
    return quotes
  }

  /** Why there are fewer records than points or asked steps; empty = there are not. */
  reasons(points: number): readonly string[] {
    const reasons: string[] = []
    const [error] = this.#errors
    if (error) reasons.push(`${this.#errors.length} of ${points} points could not be read: ${error.message}`)
    if (this.#empty > 0) reasons.push(`${this.#empty} of ${points} points have no price`)
    if (this.#byTime.size === 0) return reasons.length > 0 ? reasons : ['no point in the asked range']
    return [...reasons, ...tellSteps(this.#openSteps(), this.#stepMs)]
  }

  /** Steps without a price, each with its reason, in their order. */
  #openSteps(): readonly (readonly [Step, string])[] {
    const { page, receivedAt } = this.#context
    const open = new Map<Step, string>()
    const told = new Set<Step>()
    for (const [at, one] of this.#byTime) {
      const step = stepOf(at, this.#stepMs)
      told.add(step)
      if ('none' in one) open.set(step, one.none)
    }
    // A point that does not say its time may be of any of them.
    const absent = this.#errors.length + this.#empty > 0 ? 'no price' : 'not in the answer'
    const begin = Math.min(...told)
    const later = absent === 'no price' ? absent : `${absent}, which begins later`
    for (const step of page.range ? owedSteps(page.range, this.#stepMs, receivedAt) : [])
      if (!told.has(step)) open.set(step, step < begin ? later : absent)
    return [...open].sort(([a], [b]) => a - b)
  }
}

function isSame(a: Quote | NoPoint, b: Quote | NoPoint): boolean {
  if ('none' in a || 'none' in b) return 'none' in a && 'none' in b
  return isSamePrice(a, b)
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
