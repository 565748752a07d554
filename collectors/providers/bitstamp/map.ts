import { CryptosError } from '../../../core/errors.ts'
import { changeOf, figureOf, priceOf, refusePayload, rowOf, unixTimeOf } from '../../check.ts'
import { type JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { pairOf } from './assets.ts'

/** The ticker of the one asked market: last trade, its base's volume and the change of 24 hours, and the time. */
export function mapTicker(body: Uint8Array, context: MappingContext): Mapped {
  const [ref, second] = context.page.assets
  if (!ref || second)
    throw new CryptosError(
      'CRY_PROVIDER_PAYLOAD',
      '$: a ticker of Bitstamp does not say of which one asset it is',
    )
  const ticker = rowOf(parseExact(body), '$')
  const rows = new MappedRows(context)
  rows.add(ref, () => readTicker(ticker, ref, context))
  return rows.result()
}

function readTicker(ticker: JsonObject, ref: AssetRef, context: MappingContext): Row {
  checkMarket(ticker, ref, context)
  const { receivedAt, page } = context
  return {
    ref,
    currency: page.currency,
    price: priceOf(ticker.get('last'), '$.last'),
    volume24h: figureOf(ticker.get('volume'), 'counts'),
    change24h: changeOf(ticker.get('percent_change_24')),
    observedAt: unixTimeOf(ticker.get('timestamp'), '$.timestamp', { receivedAt, unit: 'seconds' }),
  }
}

/** Not every ticker names its market; one that does has to be the asked one, and no future on it. */
function checkMarket(ticker: JsonObject, ref: AssetRef, { page }: MappingContext): void {
  const wanted = { pair: pairOf(ref, page.currency), market: pairOf(ref, page.currency), market_type: 'SPOT' }
  for (const [name, value] of Object.entries(wanted)) {
    const told = ticker.get(name)
    if (told !== undefined && told !== value) refusePayload(`$.${name}`, value, told)
  }
}
