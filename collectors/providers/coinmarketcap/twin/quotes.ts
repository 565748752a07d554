import type { ServedValue } from '../../../../sandbox/types.ts'
import type { Coin } from './coins.ts'
import type { ConvertCurrency } from './currencies.ts'
import { convertsOf, costOf } from './endpoint.ts'
import type { Answer, Context, Endpoint } from './endpoint.ts'
import { quoteTimeAt } from './market.ts'
import type { CoinQuote } from './market.ts'
import { selectCoins } from './select.ts'
import { coinV2, coinV3 } from './shapes.ts'
import type { Json } from '../../../../sandbox/json.ts'

/** A coin with its quotes; coins that have no price now are left out. */
export interface Quoted {
  readonly coin: Coin
  readonly quotes: readonly CoinQuote[]
}

export function quoteCoin(
  context: Context,
  coin: Coin,
  converts: readonly ConvertCurrency[],
): Quoted | undefined {
  const observedAt = quoteTimeAt(context.at)
  const quotes = converts.map(currency => context.market.quote(coin, currency, observedAt))
  const whole = quotes.filter(quote => quote !== undefined)
  return coin.active && whole.length === quotes.length ? { coin, quotes: whole } : undefined
}

export const valuesOf = (quoted: readonly Quoted[]): ServedValue[] =>
  quoted.flatMap(({ coin, quotes }) =>
    quotes.map(({ currency, price, observedAt }) => ({
      sourceId: String(coin.id),
      currency: currency.symbol,
      price,
      observedAt,
    })),
  )

const isQuoted = (quoted: Quoted | undefined): quoted is Quoted => quoted !== undefined

/** v3: an array of coins, each with an array of quotes. */
export const quotesV3: Endpoint = {
  path: '/v3/cryptocurrency/quotes/latest',
  variant: 'B',
  keyless: true,
  run(context) {
    const converts = convertsOf(context.query)
    const { asked } = selectCoins(context.query, true)
    const quoted = asked
      .flatMap(([, found]) => found.map(coin => quoteCoin(context, coin, converts)))
      .filter(isQuoted)
    return {
      data: quoted.map(({ coin, quotes }) => coinV3(coin, quotes, context.at)),
      credits: costOf(quoted.length, 100, converts.length),
      values: valuesOf(quoted),
    }
  },
}

/** v2: an object by id; by symbol an array of all coins of that name. */
export const quotesV2: Endpoint = {
  path: '/v2/cryptocurrency/quotes/latest',
  variant: 'A',
  statusFirst: true,
  keyless: false,
  run: context => keyedQuotes(context, 'v2'),
}

/** v1: an object by the asked key; of several coins with a symbol the largest, silently. */
export const quotesV1: Endpoint = {
  path: '/v1/cryptocurrency/quotes/latest',
  variant: 'A',
  statusFirst: true,
  keyless: false,
  run: context => keyedQuotes(context, 'v1'),
}

function keyedQuotes(context: Context, version: 'v1' | 'v2'): Answer {
  const converts = convertsOf(context.query)
  const { by, asked } = selectCoins(context.query, version === 'v2')
  const rows = asked.map(([key, found]) => {
    const quoted = found.map(coin => quoteCoin(context, coin, converts)).filter(isQuoted)
    return { key, quoted: by === 'symbol' && version === 'v2' ? quoted : quoted.slice(0, 1) }
  })
  const filled = rows.filter(row => row.quoted.length > 0)
  const all = filled.flatMap(row => row.quoted)
  const shape = ({ coin, quotes }: Quoted): Json => coinV2(coin, quotes, context.at, version)
  const members = filled.map(({ key, quoted }) => {
    const shapes = quoted.map(shape)
    const name = by === 'slug' ? String(quoted[0]?.coin.id) : key
    return [name, by === 'symbol' && version === 'v2' ? shapes : shapes[0]] as const
  })
  return {
    data: Object.fromEntries(members),
    credits: costOf(all.length, 100, converts.length),
    values: valuesOf(all),
  }
}
