import { DAY, HOUR, MINUTE } from '../../../core/time.ts'
import type { Dataset } from '../../provider.ts'
import { mapGlobal } from './global.ts'
import { mapChart, requestHistory } from './history.ts'
import { judge, perCall } from './judge.ts'
import { mapMarkets, perPage, requestMarkets } from './markets.ts'
import { mapPrices, requestPrices } from './simple-price.ts'

const costMax = () => perCall

/** 10,000 calls a month are one every 268 seconds: five minutes leave a tenth for the other datasets. */
const quotes: Dataset = {
  id: 'quotes',
  kind: 'quotes',
  doc: 'Latest price, market cap, 24-hour volume and change of up to 250 coins in one call',
  pageSize: perPage,
  refreshMs: MINUTE,
  intervalMs: 5 * MINUTE,
  ...{ costMax, judge },
  request: requestPrices,
  map: mapPrices,
}

const market: Dataset = {
  id: 'market',
  kind: 'market',
  doc: 'The same with circulating supply, of named coins or of the 250 largest',
  pageSize: perPage,
  refreshMs: MINUTE,
  intervalMs: 2 * HOUR,
  topMax: perPage,
  ...{ costMax, judge },
  request: requestMarkets,
  map: mapMarkets,
}

const global: Dataset = {
  id: 'global',
  kind: 'metrics',
  doc: 'Market cap and volume of all coins, shares of Bitcoin and Ethereum, numbers of coins and exchanges',
  pageSize: 1,
  refreshMs: 10 * MINUTE,
  intervalMs: 2 * HOUR,
  ...{ costMax, judge },
  request: () => ({ path: '/global', query: {}, headers: { accept: 'application/json' } }),
  map: mapGlobal,
}

const history: Dataset = {
  id: 'history',
  kind: 'history',
  doc: 'Daily closes with market cap and volume of the last 365 days, one coin a call',
  pageSize: 1,
  refreshMs: DAY,
  intervalMs: DAY,
  history: { rangeMaxMs: 364 * DAY, reachMs: 365 * DAY, stepMs: DAY, readyMs: 35 * MINUTE },
  ...{ costMax, judge },
  request: requestHistory,
  map: mapChart,
}

export const datasets: readonly Dataset[] = [quotes, market, global, history]
