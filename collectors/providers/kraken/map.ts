import { AssetId, type DecimalString } from '../../../core/brands.ts'
import { assetById } from '../../../core/assets.ts'
import { refFinder } from '../../assets.ts'
import { arrayOf, figureOf, objectOf, priceOf, refusePayload, rowOf } from '../../check.ts'
import { type Json, JsonArray, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { assets, currencyOf, splitPair } from './assets.ts'

const pairPattern = /^[A-Za-z0-9._-]{1,64}$/

/** `result` by canonical pair name. The price is the last trade (`c[0]`), the volume that of 24 hours in the base asset (`v[1]`). */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const result = objectOf(rowOf(parseExact(body), '$').get('result'), '$.result')
  const known = refFinder(context.page, assets)
  const rows = new MappedRows(context)
  for (const [pair, value] of result.members()) {
    const ref = known(pair) ?? (context.page.assets.length > 0 ? undefined : madeUp(pair))
    if (ref) rows.add(ref, () => readPair(ref, value))
    else if (context.page.assets.length === 0) rows.addError(badPair(pair))
  }
  return rows.result()
}

/** The name of a pair that nobody asked for: our asset where its base is one, else one made of the pair. */
function madeUp(pair: string): AssetRef | undefined {
  if (!pairPattern.test(pair)) return undefined
  const asset = splitPair(pair)?.asset ?? AssetId(`kraken:${pair}`)
  return { asset, symbol: assetById(asset)?.symbol ?? pair, sourceId: pair }
}

function badPair(pair: string): unknown {
  try {
    return refusePayload('$.result', 'names of pairs', pair)
  } catch (error) {
    return error
  }
}

/** The ticker has no time, so the quote is as old as the answer. */
function readPair(ref: AssetRef, value: Json): Row {
  const pair = ref.sourceId
  const currency = currencyOf(ref)
  if (currency === undefined) return { ref, none: `nothing tells the currency of ${pair}` }
  const ticker = rowOf(value, `$.result.${pair}`)
  const closed = arrayOf(ticker.get('c'), `$.result.${pair}.c`)
  // A place means something in the full row only: a row that lost its price has the size of the trade there.
  if (closed.length !== 2) refusePayload(`$.result.${pair}.c`, 'a price and a size', ticker.get('c'))
  return {
    ref,
    currency,
    price: priceOf(closed[0], `$.result.${pair}.c[0]`),
    volume24h: volumeOf(ticker.get('v')),
    observedAt: undefined,
  }
}

/** `[today, 24 hours]`: of another length nobody knows which is which. */
function volumeOf(value: Json | undefined): DecimalString | undefined {
  const volumes = value instanceof JsonArray ? value.items() : []
  return volumes.length === 2 ? figureOf(volumes[1], 'counts') : undefined
}
