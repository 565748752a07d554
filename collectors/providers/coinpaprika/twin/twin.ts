import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, MINUTE } from '../../../../core/time.ts'
import { Bucket } from '../../../../sandbox/bucket.ts'
import { RawNumber, toJson } from '../../../../sandbox/json.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { Call, Reply, ServedValue, Twin, TwinOptions } from '../../../../sandbox/types.ts'
import { type Answer, failed, html429, monthSpent, served, tooMany } from './answers.ts'
import { type Coin, coinsOf } from './coins.ts'
import { coinOf, figuresOf, globalOf, isoSeconds, Market, midnights, tickerOf } from './shapes.ts'

/** Limits that a test may change (`limits: {coinpaprika: {…}}`). */
const free = {
  creditsPerMonth: 20_000,
  /** Calls a second and address. */
  perSecond: 10,
  /** How often the data change. */
  gridMs: 10 * MINUTE,
  /** How far back daily history goes. */
  reachMs: 365 * DAY,
  /** Made-up coins behind ours in the tickers; 1,986 fill the free plan's list. */
  extraCoins: 0,
  /** 429 as a page of a CDN instead of JSON. */
  htmlAt429: false,
}

const quotable = /^(USD|EUR|BTC|ETH|GBP|JPY|PLN|KRW|CAD|AUD|CHF|CNY|INR)$/

/** CoinPaprika's free plan: no key, 20,000 calls a month and address, every answer a whole list or one coin. */
export class CoinpaprikaTwin implements Twin {
  readonly #options: TwinOptions
  readonly #limits: typeof free
  readonly #bucket: Bucket
  readonly #coins: readonly Coin[]
  readonly #market: Market
  constructor(options: TwinOptions) {
    this.#options = options
    this.#limits = limitsOf(free, options)
    this.#bucket = new Bucket({ burst: this.#limits.perSecond, perSecond: this.#limits.perSecond })
    this.#coins = coinsOf(this.#limits.extraCoins)
    this.#market = new Market(options.prices)
  }

  answer(call: Call): Reply {
    const scope = `ip:${call.ip}/coinpaprika`
    const { meter } = this.#options
    const month = this.#limits.creditsPerMonth
    meter.openScope(scope, 'coinpaprika', { minute: null, day: null, month })
    meter.addCall(scope, call.at)
    const answer = this.#refusal(call, scope) ?? this.#answer(call)
    const credits = answer.credits * call.priceFactor
    meter.addCredits(scope, call.at, credits)
    return { ...answer, credits, scope }
  }

  rateLimited(): Answer {
    return this.#limits.htmlAt429 ? html429() : failed(429, tooMany)
  }

  serverError(_call: Call, status: number): Pick<Reply, 'status' | 'body' | 'code'> {
    return failed(status, 'internal server error')
  }

  useElsewhere(credits: number, at: EpochMicros): { readonly scope: string; readonly credits: number } {
    const scope = 'ip:127.0.0.1/coinpaprika'
    const { meter } = this.#options
    const month = this.#limits.creditsPerMonth
    meter.openScope(scope, 'coinpaprika', { minute: null, day: null, month })
    const charged = Math.min(credits, Math.max(0, month - meter.use(scope, 'month', at).credits))
    meter.addCredits(scope, at, charged, true)
    return { scope, credits: charged }
  }

  #refusal(call: Call, scope: string): Answer | undefined {
    const { meter, clock } = this.#options
    if (!this.#bucket.take(call.ip, clock.monotonicMs())) return this.rateLimited()
    const { credits } = meter.use(scope, 'month', call.at)
    return credits >= this.#limits.creditsPerMonth ? failed(402, monthSpent) : undefined
  }

  #answer(call: Call): Answer {
    const [, version, kind, id, more] = call.endpoint.split('/')
    const at = micros(call.at - (call.at % (this.#limits.gridMs * 1_000)))
    if (version !== 'v1') return failed(404, 'not found')
    if (kind === 'tickers' && more === 'historical') return this.#historical(call, id ?? '')
    if (kind === 'tickers' && more === undefined) return this.#tickers(call, id, at)
    if (more !== undefined || id !== undefined) return failed(404, 'not found')
    if (kind === 'global') return this.#global(at)
    if (kind === 'coins') return served(toJson(this.#coins.map(coinOf)))
    return kind === 'search' ? this.#search(call.query) : failed(404, 'not found')
  }

  #global(observedAt: EpochMicros): Answer {
    const figures = figuresOf(this.#market, this.#listed(), observedAt)
    const value = (sourceId: string, currency: string, price: string) => ({
      sourceId,
      currency,
      price,
      observedAt,
    })
    return served(toJson(globalOf(figures, observedAt)), [
      value('total-market-cap', 'USD', figures.market_cap_usd),
      value('total-volume-24h', 'USD', figures.volume_24h_usd),
      value('bitcoin-dominance', '', figures.bitcoin_dominance_percentage),
      value('assets', '', figures.cryptocurrencies_number),
    ])
  }

  #listed(): readonly Coin[] {
    return this.#coins.filter(coin => coin.active && coin.rank > 0)
  }

  #tickers({ query }: Call, id: string | undefined, at: EpochMicros): Answer {
    const currencies = (query.get('quotes') ?? 'USD').toUpperCase().split(',')
    if (currencies.length > 3 || !currencies.every(currency => quotable.test(currency)))
      return failed(400, 'invalid parameters: quotes')
    const coins =
      id === undefined ? this.#listed() : this.#coins.filter(coin => coin.id === id && coin.active)
    if (coins.length === 0) return failed(404, 'id not found')
    const rows = coins.map(coin => tickerOf(this.#market, coin, currencies, at))
    const values = coins.flatMap(coin => this.#values(coin, currencies, at))
    return served(toJson(id === undefined ? rows : rows[0]), values)
  }

  #values(coin: Coin, currencies: readonly string[], observedAt: EpochMicros): ServedValue[] {
    return currencies.flatMap(currency => {
      const price = this.#market.price(coin, currency, observedAt)
      return price === undefined ? [] : [{ sourceId: coin.id, currency, price, observedAt }]
    })
  }

  #historical({ query, at }: Call, id: string): Answer {
    const coin = this.#coins.find(c => c.id === id)
    if (!coin) return failed(404, 'id not found')
    const currency = (query.get('quote') ?? 'usd').toUpperCase()
    const start = timeOf(query.get('start'))
    const end = timeOf(query.get('end')) ?? at
    const limit = Number(query.get('limit') ?? 1_000)
    if (start === undefined || !/^(USD|BTC)$/.test(currency) || !(limit >= 1 && limit <= 5_000))
      return failed(400, 'invalid parameters')
    const first = addMs(at, -this.#limits.reachMs)
    if (!/^(1d|24h)$/.test(query.get('interval') ?? '5m') || start < first)
      return failed(402, `getting historical data before ${isoSeconds(first)} is not allowed in this plan`)
    const days = midnights(start, end < at ? end : at).slice(0, limit)
    const values = days.flatMap(day => this.#values(coin, [currency], day))
    const rows = values.map(({ price, observedAt }) => ({ price, day: observedAt ?? at }))
    return served(toJson(rows.map(row => this.#point(coin, row))), values)
  }

  #point(coin: Coin, { price, day }: { readonly price: string; readonly day: EpochMicros }) {
    const cap = this.#market.cap(coin, price)
    const volume = this.#market.volume(coin, price, day).split('.', 1)[0] ?? '0'
    const figures = {
      price: new RawNumber(price),
      volume_24h: new RawNumber(volume),
      market_cap: new RawNumber(cap),
    }
    return { timestamp: isoSeconds(day), ...figures }
  }

  #search(query: URLSearchParams): Answer {
    const wanted = (query.get('q') ?? '').toLowerCase()
    if (wanted === '') return failed(400, 'invalid parameters: q')
    const onlySymbol = query.get('modifier') === 'symbol_search'
    const found = this.#coins.filter(
      ({ symbol, name }) =>
        symbol.toLowerCase() === wanted || (!onlySymbol && name.toLowerCase().includes(wanted)),
    )
    return served(toJson({ currencies: found.slice(0, Number(query.get('limit') ?? 6)).map(coinOf) }))
  }
}

/** Unix seconds or an ISO time. */
function timeOf(text: string | null): EpochMicros | undefined {
  const ms = /^\d+$/.test(text ?? '') ? Number(text) * 1_000 : Date.parse(text ?? '')
  return Number.isFinite(ms) ? micros(ms * 1_000) : undefined
}
