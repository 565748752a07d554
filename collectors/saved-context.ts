import { AssetId, EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { OutboxEntry } from '../core/ports/ledger.ts'
import type { Origin } from '../core/records.ts'
import type { AssetRef, MappingContext, Page } from './provider.ts'

/** What is kept with a raw body, so that it can be mapped again at any time. */
export interface SavedContext {
  readonly page: Page
  readonly origin: Origin
}

export const contextText = (context: SavedContext): string => JSON.stringify({ v: 1, ...context })

function rangeOf({ range }: Page): Pick<Page, 'range'> {
  return range === undefined ? {} : { range: { from: EpochMicros(range.from), to: EpochMicros(range.to) } }
}

function refOf({ asset, symbol, sourceId }: AssetRef): AssetRef {
  if (typeof symbol !== 'string' || typeof sourceId !== 'string') throw new TypeError('shape')
  return { asset: AssetId(asset), symbol, sourceId }
}

const namesOf = ({ names }: Page): Pick<Page, 'names'> =>
  names === undefined ? {} : { names: names.map(refOf) }

function topOf({ top }: Page): Pick<Page, 'top'> {
  if (top === undefined) return {}
  if (!Number.isSafeInteger(top) || top < 1) throw new TypeError('shape')
  return { top }
}

const origins: readonly string[] = ['live', 'backfill', 'replay', 'sandbox']

/** @throws CryptosError CRY_RECORD_INVALID for a context that this program did not write */
function readContext(text: string): SavedContext {
  try {
    const { v, page, origin } = JSON.parse(text) as SavedContext & { readonly v: unknown }
    if (v !== 1 || !origins.includes(origin) || typeof page.currency !== 'string')
      throw new TypeError('shape')
    const assets = page.assets.map(refOf)
    return {
      page: { assets, currency: page.currency, ...rangeOf(page), ...topOf(page), ...namesOf(page) },
      origin,
    }
  } catch (error) {
    throw new CryptosError('CRY_RECORD_INVALID', 'the saved context of an answer can not be read', {
      cause: error,
    })
  }
}

/** The context of an outbox entry. */
export function contextOf(entry: Omit<OutboxEntry, 'publishedAt'>): MappingContext {
  return {
    ...readContext(entry.context),
    provider: entry.provider,
    dataset: entry.dataset,
    runId: entry.runId,
    receivedAt: entry.receivedAt,
    revision: entry.revision,
    credits: entry.credits,
    rawRef: entry.answerId,
  }
}
