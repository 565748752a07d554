import { coinById, coins } from './coins.ts'
import type { Coin } from './coins.ts'
import { flagParameter, listParameter } from './endpoint.ts'
import { BadRequest } from './errors.ts'

/** What a quotes call asked for: each asked key with its coins (several by symbol). */
export interface Selection {
  readonly by: 'id' | 'slug' | 'symbol'
  readonly asked: readonly (readonly [key: string, coins: readonly Coin[]])[]
}

const finders = {
  id: (text: string): Coin[] => [coinById.get(Number(text))].filter(coin => coin !== undefined),
  slug: (text: string): Coin[] => coins.filter(coin => coin.slug === text.toLowerCase()),
  symbol: (text: string): Coin[] => coins.filter(coin => coin.symbol === text.toUpperCase()),
}

/**
 * Coins by `id`, `slug` or `symbol`. Unknown ones are left out where `skip_invalid` is true (the default since v2), else the whole
 * call is a 400. @throws BadRequest
 */
export function selectCoins(query: URLSearchParams, skipInvalidDefault: boolean): Selection {
  const given = (['id', 'slug', 'symbol'] as const).filter(name => query.has(name))
  const by = given[0]
  if (by === undefined) throw new BadRequest('"value" must contain at least one of [id, slug, symbol]')
  if (given.length > 1) throw new BadRequest(`"${given[1]}" conflict with forbidden peer "${by}"`)
  const skipInvalid = flagParameter(query, 'skip_invalid', skipInvalidDefault)
  const texts = listParameter(query, by)
  const malformed = by === 'id' ? texts.find(text => !/^\d{1,9}$/.test(text)) : undefined
  if (malformed !== undefined) throw new BadRequest(`Invalid value for "id": "${malformed}"`)
  const asked = texts.map(text => [by === 'symbol' ? text.toUpperCase() : text, finders[by](text)] as const)
  const unknown = asked.filter(([, found]) => found.length === 0).map(([key]) => key)
  if (unknown.length > 0 && !skipInvalid)
    throw new BadRequest(`Invalid value for "${by}": "${unknown.join(',')}"`)
  return { by, asked: asked.filter(([, found]) => found.length > 0) }
}
