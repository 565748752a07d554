import { readCoinList } from '../../catalog-list.ts'
import type { Catalog } from '../../provider.ts'
import { idPattern } from './assets.ts'
import { judge, perCall } from './judge.ts'

/** The whole list of active coins, without ranks; by symbol a search, with them. */
export const catalog: Catalog = {
  costMax: perCall,
  request: symbol =>
    symbol === undefined
      ? { path: '/coins/list', query: {}, headers: { accept: 'application/json' } }
      : { path: '/search', query: { query: symbol }, headers: { accept: 'application/json' } },
  judge,
  // `/coins/list` is a list, `/search` an object with `coins`; only active coins are in either.
  read: body =>
    readCoinList(body, {
      member: 'coins',
      idPattern,
      rank: 'market_cap_rank',
      // Lists have symbols in lower case, searches in upper case.
      symbolOf: symbol => symbol.toUpperCase(),
      isActive: () => true,
    }),
}
