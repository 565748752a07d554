import { AssetId } from '../core/brands.ts'
import { refFinder } from './assets.ts'
import { objectOf } from './check.ts'
import type { Json, JsonObject } from './json.ts'
import { MappedRows, type Row } from './mapping.ts'
import type { AssetRef, Mapped, MappingContext } from './provider.ts'

/** A member of a list, with its path in the answer. */
export interface Listed {
  readonly value: Json
  readonly path: string
}

/** A coin of a list, with its path in the answer. */
export interface Coin {
  readonly coin: JsonObject
  readonly path: string
}

/** How a provider's list says what a coin is about and what it costs. */
export interface CoinReader {
  /** undefined = nobody asked for it. @throws CryptosError CRY_PROVIDER_PAYLOAD for a coin that does not say who it is */
  find(coin: Coin): AssetRef | undefined
  read(coin: Coin, ref: AssetRef): Row
}

/** Every coin of a list by itself. @throws CryptosError CRY_PROVIDER_PAYLOAD as `MappedRows` does */
export function mapCoins(
  listed: readonly Listed[],
  context: MappingContext,
  { find, read }: CoinReader,
): Mapped {
  const rows = new MappedRows(context)
  for (const { value, path } of listed) {
    try {
      const coin = { coin: objectOf(value, path), path }
      const ref = find(coin)
      if (ref) rows.add(ref, () => read(coin, ref))
    } catch (error) {
      rows.addError(error)
    }
  }
  return rows.result()
}

/**
 * Whom a coin is about, by its id alone: an asked asset. Where nothing was asked, a coin that our table does not know gets a name made
 * of the id.
 */
export function coinFinder(
  { page, provider }: MappingContext,
  ids: ReadonlyMap<AssetId, string>,
): (sourceId: string, symbolOf: () => string) => AssetRef | undefined {
  const known = refFinder(page, ids)
  return (sourceId, symbolOf) => {
    const ref = known(sourceId)
    if (ref || page.assets.length > 0) return ref
    return { asset: AssetId(`${provider}:${sourceId}`), symbol: symbolOf(), sourceId }
  }
}
