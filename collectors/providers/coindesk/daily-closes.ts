import type { DecimalString, EpochMicros } from '../../../core/brands.ts'
import { type CryptosError, isCryptosError } from '../../../core/errors.ts'
import { quoteOf } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { closeAt, daysOf, dayText } from './days.ts'

type Close = { readonly price: DecimalString } | { readonly none: string }

/** Gathers the daily closes of one asset, each for itself; days that were asked and did not come are told, never passed over. */
export class DailyCloses {
  readonly #context: MappingContext
  readonly #ref: AssetRef
  readonly #overAt: EpochMicros
  readonly #closes = new Map<number, Close>()
  readonly #strays: string[] = []
  #firstError: CryptosError | undefined
  /** @param overAt moment that the answer stands for: a day that was not over then has no close yet */
  constructor(context: MappingContext, ref: AssetRef, overAt: EpochMicros) {
    this.#context = context
    this.#ref = ref
    this.#overAt = overAt
  }

  /** Reads the close of a day. Of two rows of one day that differ nothing tells which is right: then there is none. */
  add(day: number, read: () => DecimalString): void {
    const close = this.#read(day, read)
    const before = this.#closes.get(day)
    const same =
      before === undefined || ('price' in before && 'price' in close && before.price === close.price)
    this.#closes.set(day, same ? close : { none: 'two rows of this day differ' })
  }

  /** Notes a row that does not even say its day. */
  addError(error: unknown): void {
    if (!isCryptosError(error)) throw error
    this.#firstError ??= error
    this.#strays.push(error.message)
  }

  /** @throws CryptosError CRY_PROVIDER_PAYLOAD when not one close could be read and one of them has a wrong shape */
  result(currency: string): Mapped {
    const { range } = this.#context.page
    const days = [...this.#closes.keys()].sort((a, b) => a - b)
    const inRange = range ? days.filter(day => closeAt(day) >= range.from && closeAt(day) < range.to) : days
    const records = inRange.flatMap(day => {
      const close = this.#closes.get(day)
      if (!close || 'none' in close) return []
      return [
        quoteOf({ ref: this.#ref, currency, price: close.price, observedAt: closeAt(day) }, this.#context),
      ]
    })
    if (records.length === 0 && this.#firstError) throw this.#firstError
    const reasons = [...this.#noneOf(inRange), ...this.#strays, ...this.#absent()]
    if (records.length === 0 && reasons.length === 0) reasons.push('no close in the answer')
    const { asset, sourceId } = this.#ref
    return { records, missing: reasons.map(reason => ({ asset, sourceId, reason })) }
  }

  #read(day: number, read: () => DecimalString): Close {
    if (closeAt(day) >= this.#overAt) return { none: 'the day was not over' }
    try {
      return { price: read() }
    } catch (error) {
      if (!isCryptosError(error)) throw error
      this.#firstError ??= error
      return { none: error.message }
    }
  }

  #noneOf(days: readonly number[]): string[] {
    return days.flatMap(day => {
      const close = this.#closes.get(day)
      return close && 'none' in close ? [`${dayText(day)}: ${close.none}`] : []
    })
  }

  /** Asked days without a row, each run of them as one reason. */
  #absent(): string[] {
    const { range } = this.#context.page
    if (!range) return []
    const { first, last } = daysOf(range)
    const reasons: string[] = []
    for (let day = first; day <= last; day += 1) {
      if (this.#closes.has(day)) continue
      const from = day
      while (day < last && !this.#closes.has(day + 1)) day += 1
      const run = day === from ? dayText(from) : `${dayText(from)} to ${dayText(day)}`
      reasons.push(`${run}: not in the answer`)
    }
    return reasons
  }
}
