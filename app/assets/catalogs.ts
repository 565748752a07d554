import { askCatalog } from '../../collectors/catalog.ts'
import type { CatalogEntry } from '../../collectors/provider.ts'
import type { Context } from '../commands/command.ts'
import { type Collecting, openCollecting } from '../collecting.ts'
import { openCommandSource } from '../command-source.ts'
import type { Route } from '../routes.ts'

/** What one provider answered to "which assets do you have?". */
export interface Listing {
  readonly route: Route
  readonly entries: readonly CatalogEntry[]
  /** Whose list it is. */
  readonly source: 'live' | 'sandbox'
  /** Why there is no list; null = there is one. */
  readonly why: string | null
}

/** Asks the lists of the enabled providers, or of the named ones, each within its quota. */
export async function askListings(
  context: Context,
  names: readonly string[] | undefined,
  symbol?: string,
): Promise<readonly Listing[]> {
  const source = await openCommandSource(context)
  try {
    const collecting = await openCollecting(context, source, names)
    try {
      const listings = await askAll(context, collecting, symbol)
      return listings.map(listing => ({ ...listing, source: source.kind }))
    } finally {
      await collecting.close()
    }
  } finally {
    await source.close()
  }
}

function askAll(
  context: Context,
  { routes, ports }: Collecting,
  symbol?: string,
): Promise<readonly Omit<Listing, 'source'>[]> {
  const withList = routes.filter(route => route.provider.catalog !== undefined)
  return Promise.all(
    withList.map(async route => {
      const result = await askCatalog(ports, route.poll, context.signal, symbol)
      if (result.kind === 'listed') return { route, entries: result.entries, why: null }
      return { route, entries: [], why: `${result.outcome}: ${result.reason}` }
    }),
  )
}
