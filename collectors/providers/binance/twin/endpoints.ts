import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, HOUR, MINUTE, toEpochMs } from '../../../../core/time.ts'
import { toJson } from '../../../../sandbox/json.ts'
import { type Said, illegal, invalidSymbol, missing, wrong } from './answers.ts'
import { listedAtMs, type Market } from './market.ts'
import { type BinancePair, binancePairs } from './pairs.ts'

export interface Asked {
  readonly query: URLSearchParams
  readonly at: EpochMicros
  readonly market: Market
}

export interface Endpoint {
  weight(query: URLSearchParams): number
  answer(asked: Asked): Said
}

const listPattern = /^\["[A-Z0-9._-]{1,20}"(,"[A-Z0-9._-]{1,20}")*\]$/
const isSaid = (value: readonly BinancePair[] | Said): value is Said => !Array.isArray(value)
const countOf = (query: URLSearchParams): number => query.get('symbols')?.split(',').length ?? 0

/** The asked pairs; one unknown name fails the whole list. Without a name: all. */
function pairsOf(query: URLSearchParams): readonly BinancePair[] | Said {
  const [one, many] = [query.get('symbol'), query.get('symbols')]
  if (one !== null && many !== null) return wrong(-1128, 'Combination of optional parameters invalid.')
  if (one === null && many === null) return [...binancePairs.values()]
  if (many !== null && !listPattern.test(many)) return illegal('symbols', listPattern.source)
  const names = one === null ? (JSON.parse(many ?? '[]') as string[]) : [one]
  const pairs = names.flatMap(name => binancePairs.get(name) ?? [])
  return pairs.length === names.length ? pairs : invalidSymbol
}

/** A list, unless one pair was asked by `symbol`. */
const shaped = (query: URLSearchParams, rows: readonly unknown[]): string =>
  toJson((query.has('symbol') ? rows[0] : rows) as never)

const ticker24h: Endpoint = {
  weight(query) {
    if (query.has('symbol')) return 2
    const count = countOf(query)
    if (count === 0 || count > 100) return 80
    return count > 20 ? 40 : 2
  },
  answer({ query, at, market }) {
    const pairs = pairsOf(query)
    if (isSaid(pairs)) return pairs
    const tickers = pairs.map(pair => market.ticker(pair, at, query.get('type') === 'MINI'))
    const rows = tickers.map(t => t.row)
    return { body: shaped(query, rows), served: tickers.map(t => t.value) }
  },
}

const tickerPrice: Endpoint = {
  weight: query => (query.has('symbol') ? 2 : 4),
  answer({ query, at, market }) {
    const pairs = pairsOf(query)
    if (isSaid(pairs)) return pairs
    const values = pairs.map(pair => market.value(pair, market.price(pair, at), null))
    const rows = values.map(({ sourceId: symbol, price }) => ({ symbol, price }))
    return { body: shaped(query, rows), served: values }
  },
}

const intervals: Readonly<Record<string, number>> = { '1m': MINUTE, '1h': HOUR, '4h': 4 * HOUR, '1d': DAY }
const mostCandles = 1_000

/** Both ends are inclusive and mean the opening; without a start the newest come. */
const klines: Endpoint = {
  weight: () => 2,
  answer({ query, at, market }) {
    const symbol = query.get('symbol')
    if (!symbol) return missing('symbol')
    const pair = binancePairs.get(symbol)
    if (!pair) return invalidSymbol
    const widthMs = intervals[query.get('interval') ?? '']
    if (widthMs === undefined) return wrong(-1120, 'Invalid interval.')
    const rows = opensOf(query, widthMs, at).map(open => market.candle(pair, open, { widthMs, now: at }))
    return { body: toJson(rows.map(r => r.row)), served: rows.flatMap(r => r.value ?? []) }
  },
}

function opensOf(query: URLSearchParams, widthMs: number, at: EpochMicros): number[] {
  const limit = Math.min(mostCandles, Number(query.get('limit') ?? 500))
  const start = query.get('startTime')
  const newest = Math.floor(Math.min(Number(query.get('endTime') ?? Infinity), toEpochMs(at)) / widthMs)
  const oldest = Math.ceil(Math.max(Number(start ?? 0), listedAtMs) / widthMs)
  const all = Math.max(0, newest - oldest + 1)
  const count = Math.min(all, limit)
  const first = start === null ? newest - count + 1 : oldest
  return Array.from({ length: count }, (_, step) => (first + step) * widthMs)
}

const exchangeInfo: Endpoint = {
  weight: () => 20,
  answer({ query, at }) {
    const pairs = pairsOf(query)
    if (isSaid(pairs)) return pairs
    const limit = { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6_000 }
    const head = { timezone: 'UTC', serverTime: toEpochMs(at), rateLimits: [limit], exchangeFilters: [] }
    return { body: toJson({ ...head, symbols: pairs.map(symbolRow) }), served: [] }
  },
}

const symbolRow = ({ symbol, status, base, quote }: BinancePair) => ({
  ...{ symbol, status, baseAsset: base, baseAssetPrecision: 8, quoteAsset: quote },
  ...{ quotePrecision: 8, quoteAssetPrecision: 8, orderTypes: ['LIMIT', 'MARKET'] },
  ...{ isSpotTradingAllowed: true, isMarginTradingAllowed: false, filters: [] },
  ...{ permissions: [], permissionSets: [] },
})

export const endpoints: ReadonlyMap<string, Endpoint> = new Map([
  ['/api/v3/ticker/24hr', ticker24h],
  ['/api/v3/ticker/price', tickerPrice],
  ['/api/v3/klines', klines],
  ['/api/v3/exchangeInfo', exchangeInfo],
  ['/api/v3/ping', { weight: () => 1, answer: () => ({ body: '{}', served: [] }) }],
  [
    '/api/v3/time',
    { weight: () => 1, answer: ({ at }) => ({ body: toJson({ serverTime: toEpochMs(at) }), served: [] }) },
  ],
])
