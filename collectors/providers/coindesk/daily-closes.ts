import type { DecimalString, EpochMicros } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import { DAY } from '../../../core/time.ts'
import { mapHistory, type NoPoint, type Point } from '../../mapping-history.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { closeAt } from './days.ts'

/** Gathers the daily closes of one asset, each for itself, under the day that a row is of. */
export class DailyCloses {
  readonly #context: MappingContext
  readonly #overAt: EpochMicros
  readonly #reads: (() => Point | NoPoint)[] = []
  /** @param overAt moment that the answer stands for: a day that was not over then has no close yet */
  constructor(context: MappingContext, ref: AssetRef, overAt: EpochMicros) {
    this.#context = { ...context, page: { ...context.page, assets: [ref] } }
    this.#overAt = overAt
  }

  /** Notes the close of a day. */
  add(day: number, read: () => DecimalString): void {
    const observedAt = closeAt(day)
    this.#reads.push(() =>
      observedAt >= this.#overAt ? { observedAt, none: 'the day was not over' } : closeOf(read, observedAt),
    )
  }

  /** Notes a row that does not even say its day. */
  addError(error: unknown): void {
    this.#reads.push(() => {
      throw error
    })
  }

  /** @throws CryptosError CRY_PROVIDER_PAYLOAD when not one close could be read and one of them has a wrong shape */
  result(): Mapped {
    return mapHistory(this.#reads, this.#context, DAY)
  }
}

/** The day of the row is known, so a close that can not be read is told by it. */
function closeOf(read: () => DecimalString, observedAt: EpochMicros): Point | NoPoint {
  try {
    return { observedAt, price: read() }
  } catch (error) {
    if (!isCryptosError(error)) throw error
    return { observedAt, none: error.message, error }
  }
}
