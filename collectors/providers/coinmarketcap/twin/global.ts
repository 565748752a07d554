import type { EpochMicros } from '../../../../core/brands.ts'
import type { MetricName } from '../../../../core/records.ts'
import { addMs, MINUTE, SECOND, toEpochMs, fromEpochMs, toIso } from '../../../../core/time.ts'
import {
  divide,
  formatNumber,
  limitDigits,
  multiply,
  parseFixed,
  rescale,
} from '../../../../sandbox/decimal.ts'
import type { Fixed } from '../../../../sandbox/decimal.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'
import { coins } from './coins.ts'
import type { Coin } from './coins.ts'
import type { ConvertCurrency } from './currencies.ts'
import { convertsOf, costOf } from './endpoint.ts'
import type { Context, Endpoint } from './endpoint.ts'

const stepMs = 5 * MINUTE

/** Figures change every five minutes, and are a minute old by then. */
const figuresAt = (now: EpochMicros): EpochMicros =>
  addMs(fromEpochMs(Math.floor((toEpochMs(now) - MINUTE) / stepMs) * stepMs), 3 * SECOND)

/** Figures of the whole market: one credit, one more for each further currency. Caps are the sum over the catalog, so they move with it. */
export const globalV1: Endpoint = {
  path: '/v1/global-metrics/quotes/latest',
  variant: 'A',
  keyless: true,
  run(context) {
    const converts = convertsOf(context.query)
    const at = figuresAt(context.at)
    const markets = converts.map(currency => ({ currency, caps: capsIn(context, currency, at) }))
    const counts = countsOf(markets[0]?.caps)
    const quotes = markets.map(({ currency, caps }) => [currency, amountsOf(caps)] as const)
    return {
      data: {
        ...Object.fromEntries(Object.values(counts).map(({ member, text }) => [member, raw(text)])),
        total_cryptocurrencies: coins.length,
        total_exchanges: 9_480,
        eth_dominance_yesterday: null,
        // Beside the quotes the same names stand once more, without a currency.
        defi_market_cap: raw('4.1e10'),
        stablecoin_market_cap: raw('2.9e11'),
        quote: Object.fromEntries(quotes.map(([{ symbol }, amounts]) => [symbol, quoteOf(amounts, at)])),
        last_updated: toIso(addMs(at, MINUTE)),
      },
      credits: costOf(1, 1, converts.length),
      values: [
        ...Object.entries(counts).map(([name, { text }]) => value(name as MetricName, '', text, at)),
        ...quotes.flatMap(([{ symbol }, amounts]) =>
          Object.entries(amounts).map(([name, { text }]) => value(name as MetricName, symbol, text, at)),
        ),
      ],
    }
  },
}

/** A figure: our name of it is the key, the API's name the member. */
interface Told {
  readonly member: string
  readonly text: string
}
type Figures = Readonly<Partial<Record<MetricName, Told>>>

const value = (name: MetricName, currency: string, price: string, observedAt: EpochMicros): ServedValue => ({
  sourceId: name,
  currency,
  price,
  observedAt,
})

interface Caps {
  readonly total: Fixed
  readonly bitcoin: Fixed
  readonly ethereum: Fixed
}

const scale = 6
const none: Fixed = { units: 0n, scale }

function capsIn({ market }: Context, currency: ConvertCurrency, at: EpochMicros): Caps {
  const capOf = (coin: Coin): Fixed => {
    const price = market.price(coin, currency, at)
    return price === undefined ? none : rescale(multiply(parseFixed(price), parseFixed(coin.supply)), scale)
  }
  const caps = coins.filter(coin => coin.active).map(coin => [coin.id, capOf(coin)] as const)
  const of = (id: number): Fixed => caps.find(([own]) => own === id)?.[1] ?? none
  const units = caps.reduce((sum, [, cap]) => sum + cap.units, 0n)
  return { total: { units, scale }, bitcoin: of(1), ethereum: of(1027) }
}

const part = (cap: Fixed, times: string): string =>
  formatNumber(limitDigits(multiply(cap, parseFixed(times)), 17))

function amountsOf({ total, bitcoin }: Caps): Figures {
  const others = { units: total.units - bitcoin.units, scale }
  return {
    'total-market-cap': { member: 'total_market_cap', text: part(total, '1') },
    'total-volume-24h': { member: 'total_volume_24h', text: part(total, '0.0411') },
    'altcoin-market-cap': { member: 'altcoin_market_cap', text: part(others, '1') },
    'defi-market-cap': { member: 'defi_market_cap', text: part(total, '0.0213') },
    'stablecoin-market-cap': { member: 'stablecoin_market_cap', text: part(total, '0.0871') },
  }
}

function countsOf(caps: Caps | undefined): Figures {
  const share = (cap: Fixed): string => {
    if (!caps || caps.total.units === 0n) return '0'
    return formatNumber(rescale(multiply(divide(cap, caps.total, 14), parseFixed('100')), 12))
  }
  return {
    'bitcoin-dominance': { member: 'btc_dominance', text: share(caps?.bitcoin ?? none) },
    'ethereum-dominance': { member: 'eth_dominance', text: share(caps?.ethereum ?? none) },
    assets: { member: 'active_cryptocurrencies', text: String(coins.filter(coin => coin.active).length) },
    exchanges: { member: 'active_exchanges', text: '912' },
    markets: { member: 'active_market_pairs', text: '104233' },
  }
}

const quoteOf = (amounts: Figures, at: EpochMicros): Json => ({
  ...Object.fromEntries(Object.values(amounts).map(({ member, text }) => [member, raw(text)])),
  total_market_cap_yesterday: null,
  last_updated: toIso(at),
})
