import type { DecimalString } from '../../../core/brands.ts'
import { DAY } from '../../../core/time.ts'
import { arrayOf, objectOf, priceOf, refusePayload, rowOf, wholeOf } from '../../check.ts'
import { type Json, type JsonObject, parseExact } from '../../json.ts'
import type { Mapped, MappingContext } from '../../provider.ts'
import { instrumentOf, refOfBase } from './assets.ts'
import { DailyCloses } from './daily-closes.ts'
import { expectText, market, refused } from './data-checks.ts'
import { firstDay } from './days.ts'
import { compareDecimals } from './decimals.ts'

const daySeconds = DAY / 1_000

/** `Data` as an array of days, oldest first: the price is `CLOSE`, its time the last microsecond of the day that TIMESTAMP begins. */
export function mapTickHistory(body: Uint8Array, context: MappingContext): Mapped {
  const rows = arrayOf(rowOf(parseExact(body), '$').get('Data'), '$.Data')
  const { assets, currency } = context.page
  const ref = assets[0] ?? refOfBase('BTC')
  const instrument = instrumentOf(ref.sourceId, currency)
  const closes = new DailyCloses(context, ref, context.receivedAt)
  rows.forEach((value, index) => {
    const path = `$.Data[${index}]`
    const day = refused(() => readDay(value, path, instrument))
    if (typeof day === 'number') closes.add(day, () => readClose(objectOf(value, path), path))
    else closes.addError(day)
  })
  return closes.result()
}

function readDay(value: Json, path: string, instrument: string): number {
  const row = rowOf(value, path)
  expectText(row, 'UNIT', { wanted: 'DAY', path })
  expectText(row, 'MARKET', { wanted: market, path })
  expectText(row, 'INSTRUMENT', { wanted: instrument, path })
  const seconds = wholeOf(row.get('TIMESTAMP')) ?? -1
  const day = seconds / daySeconds
  if (!Number.isInteger(day) || day < firstDay - 1 || day > 40_000)
    return refusePayload(`${path}.TIMESTAMP`, 'the seconds of a midnight since 2010', row.get('TIMESTAMP'))
  return day
}

/** A close that is outside of its own day's range is none. */
function readClose(row: JsonObject, path: string): DecimalString {
  const close = priceOf(row.get('CLOSE'), `${path}.CLOSE`)
  const low = priceOf(row.get('LOW'), `${path}.LOW`)
  const high = priceOf(row.get('HIGH'), `${path}.HIGH`)
  return compareDecimals(low, close) <= 0 && compareDecimals(close, high) <= 0
    ? close
    : refusePayload(`${path}.CLOSE`, `a price from LOW ${low} to HIGH ${high}`, row.get('CLOSE'))
}
