import { Credits } from '../../../core/brands.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../../core/time.ts'
import type { Dataset, HttpRequest, Page } from '../../provider.ts'
import { bitcoinOnly, instrumentOf } from './assets.ts'
import { market } from './data-checks.ts'
import { daysOf, dayText } from './days.ts'
import { judgeBpi } from './judge-bpi.ts'
import { judgeData } from './judge-data.ts'
import { mapBpi, mapBpiHistory } from './map-bpi.ts'
import { mapTick } from './map-tick.ts'
import { mapTickHistory } from './map-tick-history.ts'

const headers = { accept: 'application/json' }
const perCall = (): Credits => Credits(1)
const nothing = (): Credits => Credits(0)

/** The plain endpoint sends GBP and EUR too, but only the path of a code says what was asked. */
const bpiRequest = ({ currency }: Page): HttpRequest => {
  const code = currency === 'USD' ? '' : `/${encodeURIComponent(currency)}`
  return { path: `/v1/bpi/currentprice${code}.json`, query: {}, headers }
}

/** Both days belong to it. The API refuses a day before its first and an end before the start. */
const bpiHistoryRequest = ({ currency, range }: Page): HttpRequest => {
  const days = range && daysOf(range)
  const span = days && { start: dayText(days.first), end: dayText(Math.max(days.first, days.last)) }
  return { path: '/v1/bpi/historical/close.json', query: { ...span, currency }, headers }
}

/** ID makes each tick say what it is; without `groups` a tick has 150 members. */
const tickRequest = ({ assets, currency }: Page): HttpRequest => ({
  path: '/index/cc/v1/latest/tick',
  query: {
    market,
    instruments: assets.map(ref => instrumentOf(ref.sourceId, currency)).join(','),
    apply_mapping: 'true',
    groups: 'ID,VALUE',
  },
  headers,
})

const daysPerCall = 2_000

/** `to_ts` is the last second of the last wanted day: whether it counts or not, the bar that began before it does. */
const tickHistoryRequest = ({ assets, currency, range }: Page): HttpRequest => {
  const days = range && daysOf(range)
  const count = days && Math.min(daysPerCall, Math.max(1, days.last - days.first + 1))
  const last = days && Math.max(days.first, days.last)
  return {
    path: '/index/cc/v1/historical/days',
    query: {
      market,
      instrument: instrumentOf(assets[0]?.sourceId ?? 'BTC', currency),
      apply_mapping: 'true',
      groups: 'ID,OHLC',
      // Days without trades would be filled with made-up ones.
      fill: 'false',
      ...(last === undefined ? {} : { limit: String(count), to_ts: String((last + 1) * (DAY / 1_000) - 1) }),
    },
    headers,
  }
}

export const datasets: readonly Dataset[] = [
  {
    id: 'quotes',
    kind: 'quotes',
    doc: 'Bitcoin Price Index of the minute, in one currency',
    access: 'keyless',
    assets: bitcoinOnly,
    pageSize: 1,
    refreshMs: MINUTE,
    intervalMs: MINUTE,
    costMax: nothing,
    request: bpiRequest,
    judge: judgeBpi,
    map: mapBpi,
  },
  {
    id: 'history',
    kind: 'history',
    doc: 'Daily closes of the Bitcoin Price Index from 2010-07-17; safe in USD only',
    access: 'keyless',
    assets: bitcoinOnly,
    pageSize: 1,
    refreshMs: DAY,
    intervalMs: DAY,
    history: { rangeMaxMs: 366 * DAY, reachMs: null, stepMs: DAY },
    costMax: nothing,
    request: bpiHistoryRequest,
    judge: judgeBpi,
    map: mapBpiHistory,
  },
  {
    id: 'tick',
    kind: 'quotes',
    doc: 'Latest value of the CADLI index of up to 50 instruments in one call',
    access: 'keyed',
    pageSize: 50,
    refreshMs: 10 * SECOND,
    intervalMs: MINUTE,
    costMax: perCall,
    request: tickRequest,
    judge: judgeData,
    map: mapTick,
  },
  {
    id: 'tick-history',
    kind: 'history',
    doc: 'Daily closes of the CADLI index of one instrument, 2,000 days a call',
    access: 'keyed',
    pageSize: 1,
    refreshMs: HOUR,
    intervalMs: DAY,
    history: { rangeMaxMs: daysPerCall * DAY, reachMs: null, stepMs: DAY },
    costMax: perCall,
    request: tickHistoryRequest,
    judge: judgeData,
    map: mapTickHistory,
  },
]
