import { AssetId, type EpochMicros } from '../../../../core/brands.ts'
import { addMs, DAY, fromEpochMs, HOUR, SECOND, toEpochMs } from '../../../../core/time.ts'
import { formatFixed, multiply, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { PriceSource } from '../../../../sandbox/prices.ts'

export interface Market {
  /** `btcusd`, `btcusd-perp`. */
  readonly symbol: string
  readonly asset: AssetId
  readonly base: string
  readonly counter: string
  readonly name: string
  /** Fraction digits of prices. */
  readonly decimals: number
  readonly kind: 'SPOT' | 'PERPETUAL'
  readonly isTraded: boolean
}

const bases: readonly (readonly [base: string, asset: string, name: string, decimals: number])[] = [
  ['BTC', 'bitcoin', 'Bitcoin', 0],
  ['ETH', 'ethereum', 'Ether', 1],
  ['SOL', 'solana', 'Solana', 2],
  ['XRP', 'xrp', 'XRP', 5],
  ['ADA', 'cardano', 'Cardano', 5],
  ['DOGE', 'dogecoin', 'Dogecoin', 5],
  ['LTC', 'litecoin', 'Litecoin', 2],
  ['LINK', 'chainlink', 'Chainlink', 3],
  ['DOT', 'polkadot', 'Polkadot', 3],
  ['AVAX', 'avalanche', 'Avalanche', 2],
  ['BCH', 'bitcoin-cash', 'Bitcoin Cash', 2],
  ['XLM', 'stellar', 'Stellar', 5],
  ['UNI', 'uniswap', 'Uniswap', 4],
]
/** The twin's own: not everything is sold for euros. */
const dollarsOnly = new Set(['UNI', 'DOT'])

const market = (base: string, asset: string, rest: Partial<Market>): Market => {
  const counter = rest.counter ?? 'USD'
  const symbol = `${base}${counter}${rest.kind === 'PERPETUAL' ? '-perp' : ''}`.toLowerCase()
  const own = { name: base, decimals: 2, kind: 'SPOT', isTraded: true, ...rest } as const
  return { ...own, symbol, asset: AssetId(asset), base, counter }
}

export const markets: ReadonlyMap<string, Market> = new Map(
  [
    ...bases.map(([base, asset, name, decimals]) => market(base, asset, { name, decimals })),
    ...bases
      .filter(([base]) => !dollarsOnly.has(base))
      .map(([base, asset, name, decimals]) => market(base, asset, { name, decimals, counter: 'EUR' })),
    market('ETH', 'ethereum', { name: 'Ether', decimals: 8, counter: 'BTC' }),
    market('UMA', 'uma', { name: 'UMA', decimals: 4, isTraded: false }),
    market('BTC', 'bitcoin', { name: 'Bitcoin', decimals: 0, kind: 'PERPETUAL' }),
  ].map(m => [m.symbol, m]),
)

export const pairName = ({ base, counter, kind }: Market): string =>
  `${base}/${counter}${kind === 'SPOT' ? '' : '-PERP'}`

export function priceOf(prices: PriceSource, m: Market, at: EpochMicros): string | undefined {
  const { asset, counter: currency, decimals } = m
  return prices.priceAt({ asset, currency, at, venue: 'bitstamp', decimals, style: 'fixed' })
}

const secondsOf = (at: EpochMicros): string => String(Math.floor(toEpochMs(at) / SECOND))
const volume = (key: string): string =>
  `${hashText(key) % 2_000}.${String(hashText(`${key}/part`) % 100_000_000).padStart(8, '0')}`

function scaled(price: string, factor: string): string {
  const value = parseFixed(price)
  return formatFixed(rescale(multiply(value, parseFixed(factor)), value.scale))
}

/** A little beyond what was seen: the sandbox's faults find a price by its digits, so that no other number may have them. */
function extremes(prices: PriceSource, m: Market, at: EpochMicros): { low: string; high: string } {
  const seen = [0, 6, 12, 18].flatMap(hours => priceOf(prices, m, addMs(at, -hours * HOUR)) ?? [])
  const sorted = seen.toSorted((a, b) => Number(a) - Number(b))
  return { low: scaled(sorted[0] ?? '0', '0.999'), high: scaled(sorted.at(-1) ?? '0', '1.001') }
}

/** The ticker of one market at a whole second. Only futures name themselves. */
export function tickerOf(prices: PriceSource, m: Market, at: EpochMicros): Json {
  const last = priceOf(prices, m, at) ?? '0'
  const open24 = scaled(priceOf(prices, m, addMs(at, -DAY)) ?? last, '1.0001')
  const midnight = fromEpochMs(Math.floor(toEpochMs(at) / DAY) * DAY)
  const { low, high } = extremes(prices, m, at)
  const change = ((Number(last) - Number(open24)) / Number(open24)) * 100
  return {
    ...{
      timestamp: secondsOf(at),
      open: scaled(priceOf(prices, m, midnight) ?? last, '1.0001'),
      high,
      low,
      last,
    },
    ...{ volume: volume(`${m.symbol}/${at}`), vwap: scaled(last, '0.9991') },
    ...{ bid: scaled(last, '0.9998'), ask: scaled(last, '1.0002'), side: String(hashText(last) % 2) },
    ...{ open_24: open24, percent_change_24: change.toFixed(2), market_type: m.kind },
    ...(m.kind === 'SPOT' ? {} : { pair: pairName(m), market: pairName(m) }),
  }
}

/** One candle with its close: the last price before its end, or the newest. */
export function candleOf(
  prices: PriceSource,
  m: Market,
  { opensMs, closesMs }: { opensMs: number; closesMs: number },
) {
  const close = priceOf(prices, m, fromEpochMs(closesMs)) ?? '0'
  const open = scaled(priceOf(prices, m, fromEpochMs(opensMs)) ?? '0', '1.0001')
  const [least = '0', most = '0'] = [open, close].toSorted((a, b) => Number(a) - Number(b))
  const [low, high] = [scaled(least, '0.999'), scaled(most, '1.001')]
  const row: Json = {
    ...{ high, timestamp: secondsOf(fromEpochMs(opensMs)), volume: volume(`${m.symbol}/${opensMs}`) },
    ...{ low, close, open },
  }
  return { row, close }
}

/** A row of `/api/v2/markets/`. */
export const marketRow = (m: Market): Json => ({
  ...{ name: pairName(m), market_symbol: m.symbol, base_currency: m.base, base_decimals: 8 },
  ...{ counter_currency: m.counter, counter_decimals: m.decimals, minimum_order_value: '10' },
  ...{ trading: m.isTraded ? 'Enabled' : 'Disabled', instant_order_counter_decimals: m.decimals },
  ...{ instant_and_market_orders: m.isTraded ? 'Enabled' : 'Disabled' },
  description: `${m.name} / ${m.counter === 'EUR' ? 'Euro' : m.counter === 'USD' ? 'U.S. dollar' : 'Bitcoin'}`,
  market_type: m.kind,
})
