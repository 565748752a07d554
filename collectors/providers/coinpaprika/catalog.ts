import { readCoinList } from '../../catalog-list.ts'
import type { Catalog } from '../../provider.ts'
import { idPattern } from './assets.ts'
import { judge, perCall } from './judge.ts'

/** All coins in one list of several MB; by symbol a search, whose answer is small. */
export const catalog: Catalog = {
  costMax: perCall,
  request: symbol =>
    symbol === undefined
      ? { path: '/v1/coins', query: {}, headers: { accept: 'application/json' } }
      : {
          path: '/v1/search',
          query: { q: symbol, c: 'currencies', modifier: 'symbol_search', limit: '250' },
          headers: { accept: 'application/json' },
        },
  judge: answer => judge(answer, {}),
  // `/v1/coins` is a list, `/v1/search` an object with `currencies`. A row without an id or a symbol is no proposal.
  read: body =>
    readCoinList(body, {
      member: 'currencies',
      idPattern,
      rank: 'rank',
      symbolOf: symbol => symbol,
      isActive: coin => coin.get('is_active') === true,
    }),
}
