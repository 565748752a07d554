import { AssetId } from '../../../core/brands.ts'
import { refFinder } from '../../assets.ts'
import { arrayOf, changeOf, figureOf, priceOf, refusePayload, rowOf, unixTimeOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { assets, currencyOf, splitPair } from './assets.ts'

const pairPattern = /^[A-Z0-9]{3,32}$/

/** `ticker/24hr` by `symbols`: one object a pair. The volume is that of the base asset, the time the end of the window. */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const list = arrayOf(parseExact(body), '$')
  const known = refFinder(context.page, assets)
  const isOpen = context.page.assets.length === 0
  const rows = new MappedRows(context)
  for (const [index, value] of list.entries()) {
    const path = `$[${index}]`
    const pair = value instanceof JsonObject ? value.get('symbol') : undefined
    const ref = typeof pair === 'string' ? (known(pair) ?? (isOpen ? madeUp(pair) : undefined)) : undefined
    if (ref) rows.add(ref, () => readTicker(ref, value, { path, context }))
    else if (typeof pair !== 'string') rows.addError(noPair(path, pair))
  }
  return rows.result()
}

/** The name of a pair that nobody asked for. */
const madeUp = (pair: string): AssetRef | undefined =>
  pairPattern.test(pair)
    ? { asset: AssetId(`binance:${pair}`), symbol: splitPair(pair)?.base ?? pair, sourceId: pair }
    : undefined

function noPair(path: string, pair: Json | undefined): unknown {
  try {
    return refusePayload(`${path}.symbol`, 'the name of a pair', pair)
  } catch (error) {
    return error
  }
}

interface Place {
  readonly path: string
  readonly context: MappingContext
}

function readTicker(ref: AssetRef, value: Json, { path, context }: Place): Row {
  const currency = currencyOf(ref)
  if (currency === undefined) return { ref, none: `nothing tells the currency of ${ref.sourceId}` }
  const ticker = rowOf(value, path)
  const time = { receivedAt: context.receivedAt, unit: 'ms' } as const
  return {
    ref,
    currency,
    price: priceOf(ticker.get('lastPrice'), `${path}.lastPrice`),
    volume24h: figureOf(ticker.get('volume'), 'counts'),
    change24h: changeOf(ticker.get('priceChangePercent')),
    observedAt: unixTimeOf(ticker.get('closeTime'), `${path}.closeTime`, time),
  }
}
