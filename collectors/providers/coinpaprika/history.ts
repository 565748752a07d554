import { DAY } from '../../../core/time.ts'
import { CryptosError } from '../../../core/errors.ts'
import { arrayOf, figureOf, priceOf, rowOf, timeOf } from '../../check.ts'
import { type Json, parseExact } from '../../json.ts'
import { mapHistory, type Point } from '../../mapping-history.ts'
import type { HttpRequest, Mapped, MappingContext, Page } from '../../provider.ts'

/** Currencies of past prices (official OpenAPI description, parameter `quote`). */
const currencies: readonly string[] = ['USD', 'BTC']
const microsPerSecond = 1_000_000

/** One coin a call, in whole seconds. Whether `end` itself belongs to the answer is not known [U]: points stand at midnights, so a second less is right either way. */
export function requestHistory({ assets, currency, range }: Page): HttpRequest {
  const query: Record<string, string> = { interval: '1d', quote: currency.toLowerCase(), limit: '1000' }
  if (range) {
    query['start'] = String(Math.floor(range.from / microsPerSecond))
    query['end'] = String(Math.ceil(range.to / microsPerSecond) - 1)
  }
  const path = `/v1/tickers/${encodeURIComponent(assets[0]?.sourceId ?? '')}/historical`
  return { path, query, headers: { accept: 'application/json' } }
}

/**
 * `[{timestamp, price, volume_24h, market_cap}]`. The body names neither coin nor currency. A point is what the price was at its
 * timestamp, by the provider's word; whether a daily one is rather that of the whole day is not known [U], so the time stays as sent.
 */
export function mapHistoric(body: Uint8Array, context: MappingContext): Mapped {
  const { currency } = context.page
  if (!currencies.includes(currency))
    throw new CryptosError(
      'CRY_PROVIDER_PAYLOAD',
      `$: past prices come in ${currencies.join(' or ')}, not ${currency}`,
    )
  const reads = arrayOf(parseExact(body), '$').map((value, i) => () => readPoint(value, `$[${i}]`, context))
  return mapHistory(reads, context, DAY)
}

function readPoint(value: Json, path: string, { receivedAt }: MappingContext): Point | undefined {
  const point = rowOf(value, path)
  const price = point.get('price')
  if (price === null) return undefined
  return {
    observedAt: timeOf(point.get('timestamp'), `${path}.timestamp`, receivedAt),
    price: priceOf(price, `${path}.price`),
    marketCap: figureOf(point.get('market_cap'), 'unknown'),
    volume24h: figureOf(point.get('volume_24h'), 'counts'),
  }
}
