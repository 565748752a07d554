import type { EpochMicros } from '../../../../core/brands.ts'
import { EpochMicros as micros } from '../../../../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso } from '../../../../core/time.ts'
import { type Json, raw } from '../../../../sandbox/json.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'
import type { Pair } from './pairs.ts'
import { beside, displayed, type Index } from './ticker.ts'

/** Step and length of each period; null = since the beginning. */
const periods: Readonly<Record<string, { readonly stepMs: number; readonly lengthMs: number | null }>> = {
  daily: { stepMs: MINUTE, lengthMs: DAY },
  monthly: { stepMs: HOUR, lengthMs: 30 * DAY },
  alltime: { stepMs: DAY, lengthMs: null },
}

export interface HistoryQuery {
  readonly pair: Pair
  readonly index: Index
  readonly period: string
  readonly at: EpochMicros
  readonly from: string
}

export interface HistoryRows {
  readonly rows: readonly Json[]
  readonly served: readonly ServedValue[]
}

/** Rows, the newest first; undefined for a period that there is not. */
export function historyRows({ pair, index, period, at, from }: HistoryQuery): HistoryRows | undefined {
  const shape = Object.hasOwn(periods, period) ? periods[period] : undefined
  if (!shape) return undefined
  const { stepMs, lengthMs } = shape
  const first = lengthMs === null ? parseIso(from) : addMs(at, -lengthMs)
  const rows: Json[] = []
  const served: ServedValue[] = []
  for (let time = micros(at - (at % (stepMs * 1_000))); time >= first; time = addMs(time, -stepMs)) {
    const average = index.at(addMs(time, stepMs / 2))
    if (average === undefined) continue
    rows.push(row(index, average, time, stepMs))
    served.push({ sourceId: pair.coin.base, currency: pair.fiat, price: average, observedAt: time })
  }
  return { rows, served }
}

function row(index: Index, average: string, time: EpochMicros, stepMs: number): Json {
  const open = index.at(time) ?? average
  const prices = [average, open, index.at(addMs(time, stepMs / 4)) ?? average]
  const sorted = prices.sort((a, b) => Number(a) - Number(b))
  return {
    time: displayed(time),
    high: beside(sorted.at(-1) ?? average),
    low: beside(sorted[0] ?? average, -1n),
    open: beside(open),
    average: raw(average),
  }
}
