import { AssetId, type DecimalString } from '../../../core/brands.ts'
import { DAY } from '../../../core/time.ts'
import { arrayOf, priceOf, refusePayload, rowOf, unixTimeOf } from '../../check.ts'
import { type Json, JsonNumber, type JsonObject, parseExact } from '../../json.ts'
import { MappedRows } from '../../mapping.ts'
import { mapHistory, type Point } from '../../mapping-history.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { currencies } from './assets.ts'

const bitcoin: AssetRef = { asset: AssetId('bitcoin'), symbol: 'BTC', sourceId: 'BTC' }

/** `/api/v1/prices`: one time and whole units of each currency; the one of the page is taken. */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const prices = rowOf(parseExact(body), '$')
  if (!currencies.some(code => prices.get(code) !== undefined))
    refusePayload('$', 'prices by currency', prices)
  const { receivedAt, page } = context
  const { currency } = page
  const rows = new MappedRows(context)
  for (const ref of refsOf(context))
    rows.add(ref, () => {
      const price = priceIn(prices, currency, '$')
      if (price === undefined) return { ref, none: `mempool.space knows no price in ${currency}` }
      const time = prices.get('time')
      // An answer without a time is as old as its coming, and says so; one with a wrong time is no answer.
      const observedAt =
        time === undefined ? undefined : unixTimeOf(time, '$.time', { receivedAt, unit: 'seconds' })
      return { ref, currency, price, observedAt }
    })
  return rows.result()
}

/** Only bitcoin has a price here, whatever else a page asks for. */
function refsOf({ page }: MappingContext): readonly AssetRef[] {
  return page.assets.length === 0 ? [bitcoin] : page.assets.filter(ref => ref.sourceId === bitcoin.sourceId)
}

/** -1 is what the server has before it knows a price, 0 what it invents for the time before there was one. */
function priceIn(row: JsonObject, currency: string, path: string): DecimalString | undefined {
  const value = row.get(currency)
  if (value === undefined || value === null || isUnknown(value)) return undefined
  return priceOf(value, `${path}.${currency}`)
}

const isUnknown = (value: Json): boolean => value instanceof JsonNumber && /^(?:-1|0)$/.test(value.text)

/**
 * `/api/v1/historical-price`: the newest price at or before the asked time, of the asked currency and always of USD beside it. It
 * may be up to a week older than what was asked: a price outside of the page's range does not count.
 */
export function mapHistorical(body: Uint8Array, context: MappingContext): Mapped {
  const rows = arrayOf(rowOf(parseExact(body), '$').get('prices'), '$.prices')
  const page = context.page.assets.length === 0 ? { ...context.page, assets: [bitcoin] } : context.page
  const reads = rows.map((row, index) => () => readPoint(row, `$.prices[${index}]`, context))
  return mapHistory(reads, { ...context, page }, DAY)
}

function readPoint(value: Json, path: string, { page, receivedAt }: MappingContext): Point | undefined {
  const row = rowOf(value, path)
  const price = priceIn(row, page.currency, path)
  if (price === undefined) return undefined
  return { price, observedAt: unixTimeOf(row.get('time'), `${path}.time`, { receivedAt, unit: 'seconds' }) }
}
