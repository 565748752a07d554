import type { AssetId, EpochMicros } from '../core/brands.ts'
import { isCryptosError } from '../core/errors.ts'
import type { OutboxEntry } from '../core/ports/ledger.ts'
import type { Gap, GapState } from '../core/records.ts'
import { parseIso } from '../core/time.ts'
import type { Mapped, MappingContext } from './provider.ts'

const maxReason = 500

interface Expected {
  readonly asset: AssetId
  readonly sourceId: string
  readonly reason: string
}

/**
 * What an answer that could be read did not hold. After a corrected mapping also what it holds now: a gap of an earlier revision
 * must not stay open beside its price.
 */
export function gapsOf(
  entry: OutboxEntry,
  context: MappingContext,
  { records, missing }: Mapped,
): readonly Gap[] {
  const open = gaps(entry, context, 'missing', missing)
  if (context.revision === 0) return open
  const stillMissing = new Set(missing.map(m => m.asset))
  const priced = new Set(records.map(r => r.asset))
  const closed = context.page.assets.filter(({ asset }) => priced.has(asset) && !stillMissing.has(asset))
  const now = closed.map(ref => ({ ...ref, reason: 'in the answer, by a corrected mapping' }))
  return [...open, ...gaps(entry, context, 'collected', now)]
}

/** Every asset that an answer was asked for, of which nothing could be read. */
export const failedGaps = (entry: OutboxEntry, context: MappingContext, reason: string): readonly Gap[] =>
  gaps(
    entry,
    context,
    'failed',
    context.page.assets.map(ref => ({ ...ref, reason })),
  )

/** One gap an asset: a second reason of the same asset tells nothing new. */
function gaps(
  entry: OutboxEntry,
  context: MappingContext,
  state: GapState,
  expected: readonly Expected[],
): readonly Gap[] {
  const expectedAt = expectedAtOf(entry, context)
  const { provider, dataset, page, receivedAt, revision, origin, runId, rawRef } = context
  const made = new Map<AssetId, Gap>()
  for (const { asset, sourceId, reason } of expected)
    if (!made.has(asset))
      made.set(asset, {
        ...{ kind: 'gap', provider, dataset, asset, sourceId, currency: page.currency, expectedAt, state },
        reason: reason.slice(0, maxReason).toWellFormed(),
        ...{ receivedAt, revision, origin, runId, rawRef },
      })
  return [...made.values()]
}

/** Start of the slot's period, which the slot names: `<provider>/<dataset>/<period start>/<page>`. */
export function expectedAtOf(
  { slot, receivedAt }: Pick<OutboxEntry, 'slot' | 'receivedAt'>,
  { page }: Pick<MappingContext, 'page'>,
): EpochMicros {
  const [, , periodStart = ''] = slot.split('/')
  try {
    return parseIso(periodStart)
  } catch (error) {
    if (!isCryptosError(error)) throw error
    // A slot of another making: the best that the answer itself tells.
    return page.range?.from ?? receivedAt
  }
}
