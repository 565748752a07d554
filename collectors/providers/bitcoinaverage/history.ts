import { addMs, DAY, toIso } from '../../../core/time.ts'
import { EpochMicros } from '../../../core/brands.ts'
import { arrayOf, priceOf, refusePayload, rowOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { mapHistory, type Point } from '../../mapping-history.ts'
import type { Mapped, MappingContext } from '../../provider.ts'
import { displayTime } from './times.ts'

const midnight = ' 00:00:00'
const timeText = (row: Json): Json | undefined => (row instanceof JsonObject ? row.get('time') : undefined)

function isOfHour(row: Json): boolean {
  const time = timeText(row)
  return typeof time === 'string' && !time.endsWith(midnight)
}

/**
 * `/indices/global/history/BTCUSD`: rows of high, low, open and average, the newest first. The price is the average. We ask for days: an
 * average belongs to the day it names, so it is observed in that day's last microsecond, and the day that is not over is left out.
 * A saved body (without a range) may be of hours or minutes; its rows keep their time.
 */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const rows = arrayOf(parseExact(body), '$')
  const isDaily = context.page.range !== undefined || !rows.some(isOfHour)
  const today = `${toIso(context.receivedAt).slice(0, 10)}${midnight}`
  const reads = rows.flatMap((row, index) =>
    isDaily && timeText(row) === today ? [] : [() => readRow(row, `$[${index}]`, { isDaily, context })],
  )
  return mapHistory(reads, context, DAY)
}

interface Place {
  readonly isDaily: boolean
  readonly context: MappingContext
}

function readRow(value: Json, path: string, { isDaily, context }: Place): Point | undefined {
  const row = rowOf(value, path)
  const average = row.get('average')
  if (average === null || average === '') return undefined
  if (isDaily && isOfHour(value)) refusePayload(`${path}.time`, 'the midnight of a day', row.get('time'))
  const time = displayTime(row.get('time'), `${path}.time`, context.receivedAt)
  return {
    price: priceOf(average, `${path}.average`),
    observedAt: isDaily ? EpochMicros(addMs(time, DAY) - 1) : time,
  }
}
