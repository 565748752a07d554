import { toIso } from '../../../../core/time.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import { convertsOf, costOf, flagParameter } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { CoinQuote } from './market.ts'
import { quoteCoin, valuesOf } from './quotes.ts'
import { selectCoins } from './select.ts'

/** Bare prices: one credit per 250 coins; the `include_*` flags are free. */
export const simplePriceV2: Endpoint = {
  path: '/v2/simple/price',
  variant: 'B',
  keyless: true,
  run(context) {
    const { query } = context
    const converts = convertsOf(query)
    const flag = (name: string, fallback: boolean): boolean =>
      flagParameter(query, `include_${name}`, fallback)
    const include = {
      cap: flag('market_cap', false),
      volume: flag('24h_vol', false),
      change: flag('24h_change', false),
      time: flag('last_updated', true),
    }
    const found = selectCoins(query, true).asked.flatMap(([, coins]) => coins)
    const quoted = found.map(coin => quoteCoin(context, coin, converts)).filter(q => q !== undefined)
    const shape = (quote: CoinQuote): Json => ({
      symbol: quote.currency.symbol,
      price: raw(quote.price),
      market_cap: include.cap ? raw(quote.marketCap) : undefined,
      volume_24h: include.volume ? raw(quote.volume) : undefined,
      percent_change_24h: include.change ? changeOf(quote) : undefined,
      last_updated: include.time ? toIso(quote.observedAt) : undefined,
    })
    return {
      data: quoted.map(({ coin: { id, name, symbol, slug }, quotes }) => ({
        id,
        name,
        symbol,
        slug,
        quotes: quotes.map(shape),
      })),
      credits: costOf(quoted.length, 250, converts.length),
      values: valuesOf(quoted),
    }
  },
}

const changeOf = (quote: CoinQuote): Json => {
  const change = quote.changes['24h']
  return change === null ? null : raw(change)
}
