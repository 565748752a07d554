import { EpochMicros } from '../../../../core/brands.ts'
import { addMs, DAY, MINUTE, SECOND, toEpochMs } from '../../../../core/time.ts'
import { type Json, raw, toJson } from '../../../../sandbox/json.ts'
import type { Call, ServedValue } from '../../../../sandbox/types.ts'
import { type Answer, paidOnly, plainError, served, tooOld } from './answers.ts'
import type { Coin } from './coins.ts'
import { askedCurrencies, currencies, figuresOf, type Market, pricesOf, rowOf } from './market.ts'

/** What the endpoints are answered from. */
export interface Site {
  readonly market: Market
  readonly coins: readonly Coin[]
  /** How often prices change. */
  readonly cacheMs: number
  /** How far back history goes. */
  readonly reachMs: number
}

const gridOf = (at: EpochMicros, ms: number): EpochMicros => EpochMicros(at - (at % (ms * 1_000)))

/** The answer to an allowed call; `path` is the endpoint behind `/api/v3`. */
export function answerOf(site: Site, path: string, call: Call): Answer {
  const [, first, id, more, last] = path.split('/')
  if (path === '/simple/price') return simplePrice(site, call)
  if (path === '/coins/markets') return markets(site, call)
  if (path === '/coins/list')
    return served(toJson(site.coins.map(({ id, symbol, name }) => ({ id, symbol, name }))))
  if (path === '/search') return search(site, call)
  if (path === '/global') return global(site, call)
  if (path === '/ping') return served('{"gecko_says":"(V3) To the Moon!"}')
  if (path === '/coins/list/new' || path === '/coins/top_gainers_losers') return paidOnly()
  if (first === 'coins' && more === 'market_chart' && last === 'range') return chart(site, id ?? '', call)
  return plainError(404, 'Incorrect path. Please check https://www.coingecko.com/api/')
}

const servedOf = (site: Site, coin: Coin, currency: string, at: EpochMicros): ServedValue[] => {
  const price = site.market.price(coin, currency, at)
  return price === undefined
    ? []
    : [{ sourceId: coin.id, currency: currency.toUpperCase(), price, observedAt: at }]
}

/** Unknown ids are left out in silence. */
function simplePrice(site: Site, { query, at: now }: Call): Answer {
  const ids = query.get('ids')?.split(',') ?? []
  if (ids.length === 0 || !query.has('vs_currencies'))
    return plainError(422, 'Missing parameter ids or vs_currencies')
  const at = gridOf(now, site.cacheMs)
  const coins = site.coins.filter(coin => ids.includes(coin.id))
  const rows = coins.map(coin => [coin.id, pricesOf(site.market, coin, query, at)] as const)
  const asked = askedCurrencies(query)
  const values = coins.flatMap(coin => asked.flatMap(currency => servedOf(site, coin, currency, at)))
  return served(toJson(Object.fromEntries(rows)), values)
}

function markets(site: Site, { query, at: now }: Call): Answer {
  const currency = (query.get('vs_currency') ?? '').toLowerCase()
  if (currency === '') return plainError(422, 'Missing parameter vs_currency')
  if (!currencies.includes(currency)) return plainError(400, 'invalid vs_currency')
  const at = gridOf(now, site.cacheMs)
  const ids = query.get('ids')?.split(',')
  const listed = site.coins.filter(coin => (ids ? ids.includes(coin.id) : coin.rank !== null))
  const perPage = Math.min(250, Math.max(1, Number(query.get('per_page') ?? 100)))
  const from = (Number(query.get('page') ?? 1) - 1) * perPage
  const coins = listed.slice(from, from + perPage)
  const values = coins.flatMap(coin => servedOf(site, coin, currency, at))
  return served(toJson(coins.map(coin => rowOf(site.market, coin, currency, at))), values)
}

function search(site: Site, { query }: Call): Answer {
  const text = (query.get('query') ?? '').toLowerCase()
  const found = site.coins.filter(c => c.symbol.includes(text) || c.name.toLowerCase().includes(text))
  const coins = found.map(({ id, name, symbol, rank }) => ({
    ...{ id, name, api_symbol: id, symbol: symbol.toUpperCase(), market_cap_rank: rank },
  }))
  return served(toJson({ coins, exchanges: [], icos: [], categories: [], nfts: [] }))
}

/** Changes every ten minutes. */
function global({ market, coins }: Site, { at: now }: Call): Answer {
  const at = gridOf(now, 10 * MINUTE)
  const all = currencies.map(currency => [currency, figuresOf(market, coins, currency, at)] as const)
  const usd = figuresOf(market, coins, 'usd', at)
  const amounts = (name: 'cap' | 'volume'): Json =>
    Object.fromEntries(all.map(([currency, figures]) => [currency, raw(figures[name])]))
  const data = {
    ...{
      active_cryptocurrencies: coins.length,
      upcoming_icos: 0,
      ongoing_icos: 49,
      ended_icos: 3_376,
      markets: 1_391,
    },
    ...{ total_market_cap: amounts('cap'), total_volume: amounts('volume') },
    market_cap_percentage: { btc: raw(usd.btc), eth: raw(usd.eth) },
    market_cap_change_percentage_24h_usd: 0.31,
    updated_at: Math.floor(toEpochMs(at) / SECOND),
  }
  const value = (sourceId: string, price: string, currency = '') => ({
    sourceId,
    price,
    currency,
    observedAt: at,
  })
  return served(toJson({ data }), [
    ...[value('total-market-cap', usd.cap, 'USD'), value('total-volume-24h', usd.volume, 'USD')],
    ...[value('bitcoin-dominance', usd.btc), value('ethereum-dominance', usd.eth)],
    ...[value('assets', String(coins.length)), value('exchanges', '1391')],
  ])
}

/** Daily points at 00:00 UTC in [from, to]; where that reaches now, the newest price too. Without `interval` up to 90 days are hourly. */
function chart(site: Site, id: string, { query, at: now }: Call): Answer {
  const coin = site.coins.find(c => c.id === id)
  if (!coin) return plainError(404, 'coin not found')
  const currency = (query.get('vs_currency') ?? '').toLowerCase()
  const [from, to] = ['from', 'to'].map(name => Number(query.get(name) ?? Number.NaN) * 1_000_000)
  if (from === undefined || to === undefined || !(from <= to))
    return plainError(422, 'Missing parameter from or to')
  if (!currencies.includes(currency)) return plainError(400, 'invalid vs_currency')
  if (from < addMs(now, -site.reachMs)) return tooOld(now)
  const step = (query.get('interval') === 'daily' || to - from > 90 * DAY * 1_000 ? 24 : 1) * 3_600_000_000
  const times: EpochMicros[] = []
  for (let at = Math.ceil(from / step) * step; at <= Math.min(to, now); at += step)
    times.push(EpochMicros(at))
  if (to >= now) times.push(gridOf(now, SECOND))
  const values = times.flatMap(at => servedOf(site, coin, currency, at))
  return served(toJson(chartOf(site, coin, values)), values)
}

function chartOf({ market }: Site, coin: Coin, values: readonly ServedValue[]): Json {
  const list = (figure: (price: string, at: EpochMicros) => string): Json =>
    values.map(({ price, observedAt }) => {
      const at = observedAt ?? EpochMicros(0)
      return [toEpochMs(at), raw(figure(price, at))]
    })
  return {
    prices: list(price => price),
    market_caps: list(price => market.cap(coin, price)),
    total_volumes: list((price, at) => market.volume(coin, price, at)),
  }
}
