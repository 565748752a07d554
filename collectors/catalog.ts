import { toCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import { askAside } from './ask-aside.ts'
import type { PollPorts, Source } from './poll-types.ts'
import type { CatalogEntry } from './provider.ts'

export type CatalogResult =
  | { readonly kind: 'listed'; readonly entries: readonly CatalogEntry[] }
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly reason: string }

/** The list of assets of a provider, by one call within the quota. Never throws. @param symbol only these, in any letter case */
export async function askCatalog(
  ports: PollPorts,
  source: Source,
  signal: AbortSignal,
  symbol?: string,
): Promise<CatalogResult> {
  const { catalog, title } = source.provider
  if (!catalog)
    return { kind: 'refused', outcome: 'source-disabled', reason: `${title} has no list of assets` }
  try {
    const { costMax, judge } = catalog
    const call = { request: catalog.request(symbol), costMax, judge, why: 'list of assets read' }
    const result = await askAside(ports, source, call, signal)
    if (result.kind !== 'answered') return { ...result, kind: 'refused' }
    const wanted = symbol?.toLowerCase()
    const entries = catalog
      .read(result.answer.body)
      .filter(entry => wanted === undefined || entry.symbol.toLowerCase() === wanted)
    return { kind: 'listed', entries }
  } catch (error) {
    const { code, message } = toCryptosError(error)
    const outcome = code === 'CRY_PROVIDER_PAYLOAD' ? 'payload-invalid' : 'failed'
    return { kind: 'refused', outcome, reason: message }
  }
}
