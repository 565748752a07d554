import { Credits } from '../../../core/brands.ts'
import { arrayOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import type { Catalog, CatalogEntry } from '../../provider.ts'
import { currencies } from './assets.ts'
import { judgeMarkets } from './judge.ts'

/** All markets in one answer of 100 KB; it can not be filtered by a symbol. (`trading-pairs-info` is obsolete since 2024-10-15.) */
export const catalog: Catalog = {
  costMax: Credits(0),
  request: () => ({ path: '/api/v2/markets/', query: {}, headers: { accept: 'application/json' } }),
  judge: judgeMarkets,
  read,
}

/** One entry an asset: it is active where one of its spot markets in a currency of ours is. */
function read(body: Uint8Array): readonly CatalogEntry[] {
  const found = new Map<string, CatalogEntry>()
  for (const market of arrayOf(parseExact(body), '$').flatMap(marketIn)) {
    const { base, name, isActive } = market
    const before = found.get(base)
    found.set(base, { sourceId: base, symbol: base, name, isActive: isActive || before?.isActive === true })
  }
  return [...found.values()]
}

interface Market {
  readonly base: string
  readonly name: string
  readonly isActive: boolean
}

const codePattern = /^[A-Z0-9]{1,20}$/

/** A row that is no spot market in one of our currencies, or whose names do not fit together, is no proposal. */
function marketIn(value: Json): Market[] {
  if (!(value instanceof JsonObject)) return []
  const [base, counter, market] = ['base_currency', 'counter_currency', 'market_symbol'].map(n =>
    value.get(n),
  )
  if (typeof base !== 'string' || typeof counter !== 'string' || !codePattern.test(base)) return []
  const isOurs = currencies.some(currency => currency === counter)
  if (!isOurs || market !== `${base}${counter}`.toLowerCase()) return []
  const type = value.get('market_type')
  if (type !== undefined && type !== 'SPOT') return []
  return [
    { base, name: nameIn(value.get('description')) ?? base, isActive: value.get('trading') === 'Enabled' },
  ]
}

/** `Bitcoin / U.S. dollar` → `Bitcoin`. */
function nameIn(description: Json | undefined): string | undefined {
  const name = typeof description === 'string' ? description.split(' / ', 1)[0] : undefined
  return name !== undefined && /^[\x20-\x7e]{1,64}$/.test(name) ? name : undefined
}
