import { Credits } from '../../../core/brands.ts'
import { DAY, MINUTE, toEpochMs, toIso } from '../../../core/time.ts'
import type { Dataset, Page } from '../../provider.ts'
import { mapGlobal } from './global.ts'
import { mapCloses } from './history.ts'
import { judge } from './judge.ts'
import { map } from './map.ts'

const headers = { accept: 'application/json' }
const creditsFor = (count: number, perCredit: number): Credits =>
  Credits(Math.ceil(Math.max(1, count) / perCredit))

/** Coins or points of one call that cost one credit, by the docstrings of the official SDK (NOTES.md). */
const coinsPerQuoteCredit = 100
const coinsPerListingCredit = 200
const pointsPerCredit = 100

/** The cheapest call that also gives market cap, volume, supply and change; one `convert` only, a second costs a credit more. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Latest price, market cap, volume, supply and 24-hour change of up to 100 coins for one credit',
  pageSize: coinsPerQuoteCredit,
  refreshMs: MINUTE,
  intervalMs: MINUTE,
  costMax: (page: Page) => creditsFor(page.assets.length, coinsPerQuoteCredit),
  request: (page: Page) => ({
    path: '/v3/cryptocurrency/quotes/latest',
    query: { id: page.assets.map(ref => ref.sourceId).join(','), convert: page.currency },
    headers,
  }),
  judge,
  map,
}

/** The call has no list of coins: named assets are looked for among the largest 200, and are missing where they are smaller. */
const listed = (page: Page): number => page.top ?? coinsPerListingCredit

const listings: Dataset = {
  id: 'listings',
  kind: 'market',
  doc: 'The largest coins by market cap with market cap, volume, supply and 24-hour change: 200 for one credit',
  pageSize: coinsPerListingCredit,
  refreshMs: MINUTE,
  intervalMs: 15 * MINUTE,
  topMax: 5_000,
  costMax: (page: Page) => creditsFor(listed(page), coinsPerListingCredit),
  request: (page: Page) => ({
    path: '/v3/cryptocurrency/listings/latest',
    query: { start: '1', limit: String(listed(page)), sort: 'market_cap', convert: page.currency },
    headers,
  }),
  judge,
  map,
}

const global: Dataset = {
  id: 'global',
  kind: 'metrics',
  doc: 'Market cap, volume, dominance and counts of the whole market for one credit',
  pageSize: 1,
  refreshMs: 5 * MINUTE,
  intervalMs: 15 * MINUTE,
  costMax: () => Credits(1),
  request: (page: Page) => ({
    path: '/v1/global-metrics/quotes/latest',
    query: { convert: page.currency },
    headers,
  }),
  judge,
  map: mapGlobal,
}

/** Days of a page; one credit buys a hundred, so a call never asks for more than it has to pay twice for. */
const daysOf = ({ range }: Page): number =>
  range === undefined ? 1 : Math.max(1, Math.ceil((toEpochMs(range.to) - toEpochMs(range.from)) / DAY))

/** `time_start` is exclusive and `time_end` inclusive: the close of a day comes with the midnight that ends it. */
const rangeQuery = ({ range }: Page): Readonly<Record<string, string>> =>
  range === undefined ? {} : { time_start: toIso(range.from), time_end: toIso(range.to) }

const history: Dataset = {
  id: 'history',
  kind: 'history',
  access: 'keyed',
  doc: 'Daily closes of one coin, a year back on the free plan, 100 days for one credit',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: pointsPerCredit * DAY, reachMs: 365 * DAY, stepMs: DAY, readyMs: 10 * MINUTE },
  costMax: (page: Page) => creditsFor(daysOf(page), pointsPerCredit),
  request: (page: Page) => ({
    path: '/v3/cryptocurrency/quotes/historical',
    query: {
      id: page.assets.map(ref => ref.sourceId).join(','),
      ...rangeQuery(page),
      ...{ interval: 'daily', count: String(daysOf(page)), convert: page.currency },
    },
    headers,
  }),
  judge,
  map: mapCloses,
}

export const datasets: readonly Dataset[] = [quotes, listings, global, history]
