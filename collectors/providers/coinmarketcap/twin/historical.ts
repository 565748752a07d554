import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, fromEpochMs, HOUR, MINUTE, parseIso, toEpochMs, toIso } from '../../../../core/time.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'
import type { Coin } from './coins.ts'
import type { ConvertCurrency } from './currencies.ts'
import { convertsOf, costOf, countParameter } from './endpoint.ts'
import type { Answer, Context, Endpoint } from './endpoint.ts'
import { BadRequest } from './errors.ts'
import { selectCoins } from './select.ts'

const intervals: ReadonlyMap<string, number> = new Map([
  ['5m', 5 * MINUTE],
  ['10m', 10 * MINUTE],
  ['15m', 15 * MINUTE],
  ['30m', 30 * MINUTE],
  ['45m', 45 * MINUTE],
  ...[1, 2, 3, 4, 6, 12].map(hours => [`${hours}h`, hours * HOUR] as const),
  ['hourly', HOUR],
  ...[1, 2, 3, 7, 14, 15, 30, 60, 90, 365].map(days => [`${days}d`, days * DAY] as const),
  ['24h', DAY],
  ['daily', DAY],
  ['weekly', 7 * DAY],
])

/**
 * Past quotes on the grid of `interval`: one credit per 100 points. As with ohlcv/historical, `time_start` is exclusive and `time_end`
 * inclusive. No recorded v3 answer was found: coins and quotes are arrays as in v3 quotes/latest, the rest as in v2.
 */
export const historicalV3: Endpoint = {
  path: '/v3/cryptocurrency/quotes/historical',
  variant: 'B',
  keyless: false,
  run(context) {
    const converts = convertsOf(context.query)
    const times = gridTimes(context)
    const found = selectCoins(context.query, true).asked.flatMap(([, coins]) => coins)
    const rows = found.map(coin => ({ coin, points: pointsOf(context, coin, times, converts) }))
    return answer(rows, converts.length)
  },
}

interface Point {
  readonly at: EpochMicros
  readonly prices: readonly { readonly currency: ConvertCurrency; readonly price: string }[]
}

interface Row {
  readonly coin: Coin
  readonly points: readonly Point[]
}

function gridTimes({ query, at, account }: Context): readonly EpochMicros[] {
  const name = query.get('interval') ?? '5m'
  const intervalMs = intervals.get(name)
  if (intervalMs === undefined) throw new BadRequest(`Invalid value for "interval": "${name}"`)
  const count = countParameter(query, 'count', 10, 10_000)
  const endMs = Math.min(timeParameter(query, 'time_end') ?? toEpochMs(at), toEpochMs(at))
  const startMs = timeParameter(query, 'time_start')
  const last = Math.floor(endMs / intervalMs)
  const first = startMs === undefined ? last - count + 1 : Math.floor(startMs / intervalMs) + 1
  const steps = Math.min(last - first + 1, startMs !== undefined && !query.has('count') ? 10_000 : count)
  const { intradayHistoryDays, dailyHistoryDays } = account.plan
  const days = intervalMs < DAY ? intradayHistoryDays : dailyHistoryDays
  if (toEpochMs(at) - (startMs ?? first * intervalMs) > days * DAY)
    throw new BadRequest(
      intervalMs < DAY
        ? `Your plan is limited to ${days} days of intraday historical data.`
        : `Your plan is limited to ${days} days of daily historical data.`,
    )
  return Array.from({ length: Math.max(0, steps) }, (_, step) => fromEpochMs((first + step) * intervalMs))
}

/** ISO text or Unix seconds, to milliseconds. */
function timeParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1_000
  try {
    return toEpochMs(parseIso(text))
  } catch (error) {
    throw new BadRequest(`Invalid value for "${name}"`, { cause: error })
  }
}

function pointsOf(
  { market }: Context,
  coin: Coin,
  times: readonly EpochMicros[],
  converts: readonly ConvertCurrency[],
): Point[] {
  return times.flatMap(at => {
    const prices = converts.map(currency => ({ currency, price: market.price(coin, currency, at) }))
    const whole = prices.filter(entry => entry.price !== undefined) as {
      currency: ConvertCurrency
      price: string
    }[]
    return whole.length === converts.length ? [{ at, prices: whole }] : []
  })
}

function answer(rows: readonly Row[], convertCount: number): Answer {
  const points = rows.reduce((sum, row) => sum + row.points.length, 0)
  const values = rows.flatMap(({ coin, points: own }) =>
    own.flatMap(({ at, prices }) =>
      prices.map(
        ({ currency, price }): ServedValue => ({
          sourceId: String(coin.id),
          currency: currency.symbol,
          price,
          observedAt: at,
        }),
      ),
    ),
  )
  return { data: rows.map(shape), credits: costOf(points, 100, convertCount), values }
}

const shape = ({ coin, points }: Row): Json => ({
  id: coin.id,
  name: coin.name,
  symbol: coin.symbol,
  is_active: coin.active ? 1 : 0,
  is_fiat: 0,
  quotes: points.map(({ at, prices }) => ({
    timestamp: toIso(at),
    quote: prices.map(({ currency, price }) => ({
      id: currency.id,
      symbol: currency.symbol,
      price: raw(price),
      circulating_supply: raw(coin.supply),
      total_supply: raw(coin.supply),
      timestamp: toIso(at),
    })),
  })),
})
