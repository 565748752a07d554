import { CryptosError } from '../../../core/errors.ts'
import { figureOf, priceOf, refusePayload, rowOf, timeOf } from '../../check.ts'
import { type JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'

/** The ticker of the one asked product: last trade, its time, and the 24-hour volume in the base asset. */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const ref = context.page.assets[0]
  if (!ref)
    throw new CryptosError('CRY_PROVIDER_PAYLOAD', 'a Coinbase body does not say its product: name the asset')
  const ticker = rowOf(parseExact(body), '$')
  const rows = new MappedRows(context)
  rows.add(ref, () => readTicker(ref, ticker, context))
  return rows.result()
}

function readTicker(ref: AssetRef, ticker: JsonObject, context: MappingContext): Row {
  // The answer does not name its product; a message of another kind does, and then it has to be this one.
  const product = ticker.get('product_id')
  if (product !== undefined && product !== ref.sourceId) refusePayload('$.product_id', ref.sourceId, product)
  return {
    ref,
    currency: ref.sourceId.slice(ref.sourceId.indexOf('-') + 1),
    price: priceOf(ticker.get('price'), '$.price'),
    volume24h: figureOf(ticker.get('volume'), 'counts'),
    observedAt: timeOf(ticker.get('time'), '$.time', context.receivedAt),
  }
}
