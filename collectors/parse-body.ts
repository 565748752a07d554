import { Credits, type EpochMicros } from '../core/brands.ts'
import { findAsset } from '../core/assets.ts'
import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import { assetRef } from './assets.ts'
import type { AssetRef, Dataset, Mapped, MappingContext, Provider } from './provider.ts'

export interface ParseOptions {
  /** HTTP status that came with the body. */
  readonly status?: number
  /** `quotes` unless told otherwise. */
  readonly dataset?: string
  /** Asset of a body that does not say it (one product a call): our name, a symbol, or the provider's id. */
  readonly asset?: string
  readonly currency?: string
  readonly receivedAt: EpochMicros
}

export type ParsedBody = Mapped | { readonly outcome: Outcome; readonly reason: string }

/**
 * Runs a saved answer through the provider's own judge and map. Never throws for what a body holds.
 * @throws CryptosError CRY_USAGE for an unknown dataset or asset
 */
export function parseBody(provider: Provider, body: Uint8Array, options: ParseOptions): ParsedBody {
  const dataset = datasetOf(provider, options.dataset ?? 'quotes')
  const context = contextOf(provider, dataset, options)
  const answer = { status: options.status ?? 200, headers: {}, body, receivedAt: options.receivedAt }
  const verdict = dataset.judge(answer, context.page)
  if (verdict.kind === 'refused') return { outcome: verdict.outcome, reason: verdict.reason }
  const credits = verdict.charge.kind === 'known' ? verdict.charge.credits : dataset.costMax(context.page)
  try {
    return dataset.map(body, { ...context, credits })
  } catch (error) {
    const { code, message } = toCryptosError(error)
    return { outcome: code === 'CRY_PROVIDER_PAYLOAD' ? 'payload-invalid' : 'failed', reason: message }
  }
}

function datasetOf(provider: Provider, id: string): Dataset {
  const found = provider.datasets.find(d => d.id === id)
  if (found) return found
  const known = provider.datasets.map(d => d.id).join(', ')
  throw new CryptosError('CRY_USAGE', `${provider.title} has no dataset ${id}; it has: ${known}`)
}

/** Nothing is asked of a saved body, so all that it holds counts; but one that names no product needs to be told it. */
function contextOf(provider: Provider, dataset: Dataset, options: ParseOptions): MappingContext {
  const named = options.asset === undefined ? [] : [namedRef(provider, options.asset)]
  const first = [...provider.assets.keys()][0]
  const assets = named.length === 0 && dataset.pageSize === 1 && first ? [assetRef(provider, first)] : named
  return {
    provider: provider.id,
    dataset: dataset.id,
    page: { assets, currency: options.currency ?? 'USD' },
    origin: 'replay',
    runId: 'parse',
    receivedAt: options.receivedAt,
    revision: 0,
    credits: Credits(0),
    rawRef: 'parse',
  }
}

function namedRef(provider: Provider, text: string): AssetRef {
  const own = [...provider.assets].find(([, sourceId]) => sourceId === text)?.[0]
  const asset = own ?? findAsset(text)?.id
  if (asset !== undefined && provider.assets.has(asset)) return assetRef(provider, asset)
  throw new CryptosError('CRY_USAGE', `${provider.title} has no asset named ${text}`)
}
