import { DAY } from '../../../core/time.ts'
import { figureOf, arrayOf, priceOf, refusePayload, rowOf, timeOf, wholeOf } from '../../check.ts'
import { type Json, JsonObject } from '../../json.ts'
import { asDayClose, mapHistory, type Point } from '../../mapping-history.ts'
import type { Mapped, MappingContext } from '../../provider.ts'
import { coinsOf, dataOf } from './map.ts'
import { quoteIn } from './quote.ts'

/** `/v3/cryptocurrency/quotes/historical` (and v2): the points of the asked coin, found by its id alone. */
export function mapCloses(body: Uint8Array, context: MappingContext): Mapped {
  const { points, path } = pointsOf(dataOf(body), context)
  return mapHistory(
    points.map((point, i) => () => readPoint(rowOf(point, `${path}[${i}]`), `${path}[${i}]`, context)),
    context,
    DAY,
  )
}

interface Points {
  readonly points: readonly Json[]
  readonly path: string
}

/** Of one coin `data` may be the coin itself (v2); of several it holds them (v3 as a list, v2 by id). */
function pointsOf(data: Json | undefined, context: MappingContext): Points {
  const asked = context.page.assets[0]?.sourceId
  const isBare = data instanceof JsonObject && data.get('quotes') !== undefined
  const coins = isBare ? [{ value: data, path: '$.data' }] : coinsOf(data)
  for (const { value, path } of coins)
    if (value instanceof JsonObject && asked !== undefined && idOf(value) === asked)
      return { points: arrayOf(value.get('quotes'), `${path}.quotes`), path: `${path}.quotes` }
  return refusePayload('$.data', `the coin ${asked ?? 'that was asked'}`, undefined)
}

const idOf = (coin: JsonObject): string | undefined => wholeOf(coin.get('id'))?.toString()

/** A point without a quote in the currency, or with a null price, is one without a price. */
function readPoint(point: JsonObject, path: string, context: MappingContext): Point | undefined {
  const { currency } = context.page
  const quote = quoteIn(point, path, currency)
  const price = quote?.get('price')
  if (quote === undefined || price === null) return undefined
  const at = `${path}.quote.${currency}`
  const time = quote.get('timestamp') ?? point.get('timestamp')
  return {
    price: priceOf(price, `${at}.price`),
    marketCap: figureOf(quote.get('market_cap'), 'unknown'),
    volume24h: figureOf(quote.get('volume_24h'), 'counts'),
    observedAt: asDayClose(timeOf(time, `${at}.timestamp`, context.receivedAt)),
  }
}
