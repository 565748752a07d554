import type { EpochMicros } from '../../../../core/brands.ts'
import { addMs, MINUTE, toIso } from '../../../../core/time.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { Coin } from './coins.ts'
import type { CoinQuote } from './market.ts'

const rawOrNull = (text: string | null): Json => (text === null ? null : raw(text))

/** The coin's own clock differs from its quote's, and from coin to coin. */
const coinTime = (coin: Coin, at: EpochMicros): string =>
  toIso(addMs(periodStart('minute', at), coin.id % 2 === 0 ? 0 : -MINUTE))

/** The same token has one platform id here and another in `map`. */
export const quotePlatform = (coin: Coin): Json => (coin.onEthereum ? platform(coin, 1027) : null)
export const mapPlatform = (coin: Coin): Json => (coin.onEthereum ? platform(coin, 1) : null)

const platform = (coin: Coin, id: number): Json => ({
  id,
  name: 'Ethereum',
  symbol: 'ETH',
  slug: 'ethereum',
  token_address: `0x${coin.id.toString(16).padStart(40, '0')}`,
})

const changesOf = (quote: CoinQuote): Json => ({
  percent_change_1h: rawOrNull(quote.changes['1h']),
  percent_change_24h: rawOrNull(quote.changes['24h']),
  percent_change_7d: rawOrNull(quote.changes['7d']),
  percent_change_30d: rawOrNull(quote.changes['30d']),
  percent_change_60d: rawOrNull(quote.changes['60d']),
  percent_change_90d: rawOrNull(quote.changes['90d']),
})

/** One member of a v3 quote array. */
export const quoteV3 = (quote: CoinQuote): Json => ({
  id: quote.currency.id,
  symbol: quote.currency.symbol,
  price: raw(quote.price),
  volume_24h: raw(quote.volume),
  volume_change_24h: raw(quote.volumeChange),
  cex_volume_24h: raw(quote.cexVolume),
  dex_volume_24h: raw(quote.dexVolume),
  ...(changesOf(quote) as Record<string, Json>),
  market_cap: raw(quote.marketCap),
  market_cap_dominance: raw(quote.dominance),
  fully_diluted_market_cap: raw(quote.dilutedCap),
  minted_market_cap: raw(quote.marketCap),
  tvl: null,
  last_updated: toIso(quote.observedAt),
})

/** One quote of a v1 or v2 coin, under its currency's name. */
export const quoteV2 = (quote: CoinQuote): Json => ({
  price: raw(quote.price),
  volume_24h: raw(quote.volume),
  volume_change_24h: raw(quote.volumeChange),
  ...(changesOf(quote) as Record<string, Json>),
  market_cap: raw(quote.marketCap),
  market_cap_dominance: raw(quote.dominance),
  fully_diluted_market_cap: raw(quote.dilutedCap),
  tvl: null,
  last_updated: toIso(quote.observedAt),
})

const tags = (coin: Coin): Json =>
  coin.onEthereum ? [{ slug: 'ethereum-ecosystem', name: 'Ethereum Ecosystem', category: 'PLATFORM' }] : []

/** A coin of v3 quotes and listings: `quote` is an array. */
export const coinV3 = (coin: Coin, quotes: readonly CoinQuote[], at: EpochMicros): Json => ({
  tags: tags(coin),
  id: coin.id,
  name: coin.name,
  symbol: coin.symbol,
  slug: coin.slug,
  is_active: coin.active ? 1 : 0,
  infinite_supply: coin.maxSupply === null,
  is_fiat: 0,
  circulating_supply: raw(coin.supply),
  total_supply: raw(coin.supply),
  max_supply: rawOrNull(coin.maxSupply),
  date_added: coin.added,
  num_market_pairs: coin.pairs,
  cmc_rank: coin.rank,
  last_updated: coinTime(coin, at),
  tvl_ratio: null,
  platform: quotePlatform(coin),
  self_reported_circulating_supply: null,
  self_reported_market_cap: null,
  minted_market_cap: rawOrNull(quotes[0]?.marketCap ?? null),
  quote: quotes.map(quoteV3),
})

/** A coin of v1 and v2 quotes: `quote` is an object; v1 has plain tags. */
export const coinV2 = (
  coin: Coin,
  quotes: readonly CoinQuote[],
  at: EpochMicros,
  version: 'v1' | 'v2',
): Json => ({
  id: coin.id,
  name: coin.name,
  symbol: coin.symbol,
  slug: coin.slug,
  num_market_pairs: coin.pairs,
  date_added: coin.added,
  tags: version === 'v2' ? tags(coin) : coin.onEthereum ? ['ethereum-ecosystem'] : [],
  max_supply: rawOrNull(coin.maxSupply),
  circulating_supply: raw(coin.supply),
  total_supply: raw(coin.supply),
  is_active: coin.active ? 1 : 0,
  platform: quotePlatform(coin),
  cmc_rank: coin.rank,
  is_fiat: 0,
  self_reported_circulating_supply: null,
  self_reported_market_cap: null,
  tvl_ratio: null,
  last_updated: coinTime(coin, at),
  quote: Object.fromEntries(quotes.map(quote => [quote.currency.symbol, quoteV2(quote)])),
})
