import { EpochMicros } from '../core/brands.ts'
import { CryptosError, isCryptosError } from '../core/errors.ts'
import type { Quote } from '../core/records.ts'
import { DAY } from '../core/time.ts'
import { quoteOf, type Reading } from './mapping.ts'
import type { AssetRef, Mapped, MappingContext } from './provider.ts'

/** One past price; the asset and the currency are those of the page. */
export interface Point extends Pick<Reading, 'price' | 'marketCap' | 'volume24h'> {
  readonly observedAt: EpochMicros
}

/**
 * Past prices of the one asset of a page, each read for itself. Points outside of the asked range do not count; of two points of one
 * time only the first is looked at. What could not be read is told in `missing`, beside the records of the rest.
 * @param reads one reader a point; gives undefined for a point without a price
 * @throws CryptosError CRY_PROVIDER_PAYLOAD when not one point could be read and one of them has a wrong shape
 */
export function mapHistory(reads: readonly (() => Point | undefined)[], context: MappingContext): Mapped {
  const ref = onlyAsset(context)
  const records = new Map<number, Quote>()
  const errors: CryptosError[] = []
  let empty = 0
  for (const read of reads) {
    try {
      const point = read()
      if (point === undefined) empty += 1
      else if (isAsked(point.observedAt, context) && !records.has(point.observedAt))
        records.set(point.observedAt, quoteOf({ ...point, ref, currency: context.page.currency }, context))
    } catch (error) {
      if (!isCryptosError(error)) throw error
      errors.push(error)
    }
  }
  if (records.size === 0 && errors[0]) throw errors[0]
  const reason = reasonOf({ records: records.size, points: reads.length, empty, errors })
  const { asset, sourceId } = ref
  return {
    records: [...records.values()],
    missing: reason === undefined ? [] : [{ asset, sourceId, reason }],
  }
}

interface Counted {
  readonly records: number
  readonly points: number
  readonly empty: number
  readonly errors: readonly CryptosError[]
}

function reasonOf({ records, points, empty, errors }: Counted): string | undefined {
  if (errors[0]) return `${errors.length} of ${points} points could not be read: ${errors[0].message}`
  if (empty > 0) return `${empty} of ${points} points have no price`
  return records === 0 ? 'no point in the asked range' : undefined
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
