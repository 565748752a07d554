import { changeOf, figureOf, objectOf, priceOf, refusePayload, rowOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { baseFinder, pairOf } from './assets.ts'
import { tickerTime } from './times.ts'

const pairPattern = /^[A-Z0-9]{4,16}$/

/**
 * `ticker/short` and `ticker/all`: a map of pairs to tickers, of which only those in the asked currency are taken. A single ticker
 * (`/ticker/BTCUSD`) is understood too.
 */
export function map(body: Uint8Array, context: MappingContext): Mapped {
  const root = objectOf(parseExact(body), '$')
  return root.get('last') === undefined ? mapPairs(root, context) : mapSingle(root, context)
}

function mapPairs(root: JsonObject, context: MappingContext): Mapped {
  const { currency } = context.page
  const known = baseFinder(context.page)
  const rows = new MappedRows(context)
  const shared = root.get('timestamp')
  let pairs = 0
  for (const [pair, value] of root.members()) {
    if (!pairPattern.test(pair)) continue
    pairs += 1
    const ref = pair.endsWith(currency) ? known(pair.slice(0, -currency.length)) : undefined
    if (ref) rows.add(ref, () => readTicker(ref, value, { path: `$.${pair}`, shared, context }))
  }
  return pairs === 0 ? refusePayload('$', 'tickers by pair', root) : rows.result()
}

/**
 * A ticker says its pair since 2019 (`BTC-USD`). An older one does not, and is only taken where somebody names the asset of a saved
 * body: an answer to us has the pairs by name.
 */
function mapSingle(root: JsonObject, context: MappingContext): Mapped {
  const { page, origin } = context
  const symbol = root.get('display_symbol')
  const end = `-${page.currency}`
  const named = typeof symbol === 'string' && symbol.endsWith(end) ? symbol.slice(0, -end.length) : undefined
  const only = origin === 'replay' && page.assets.length === 1 && symbol === undefined
  const ref = named === undefined ? (only ? page.assets[0] : undefined) : baseFinder(page)(named)
  if (!ref) return refusePayload('$.display_symbol', `an asked asset in ${page.currency}`, symbol)
  const rows = new MappedRows(context)
  rows.add(ref, () => readTicker(ref, root, { path: '$', shared: undefined, context }))
  return rows.result()
}

interface Place {
  readonly path: string
  readonly shared: Json | undefined
  readonly context: MappingContext
}

/** `last` is the price, `volume` that of 24 hours in units of the asset. Unknown numbers are null or an empty text. */
function readTicker(ref: AssetRef, value: Json, { path, shared, context }: Place): Row {
  const { page, receivedAt } = context
  const ticker = rowOf(value, path)
  const symbol = ticker.get('display_symbol')
  const pair = `${ref.sourceId}-${page.currency}`
  if (symbol !== undefined && symbol !== pair) refusePayload(`${path}.display_symbol`, pair, symbol)
  const last = ticker.get('last')
  if (last === null || last === '')
    return { ref, none: `BitcoinAverage has no price of ${pairOf(ref, page.currency)}` }
  return {
    ref,
    currency: page.currency,
    price: priceOf(last, `${path}.last`),
    volume24h: figureOf(ticker.get('volume'), 'counts'),
    change24h: changeOfDay(ticker.get('changes')),
    observedAt: tickerTime(ticker, { path, shared, receivedAt }),
  }
}

function changeOfDay(changes: Json | undefined) {
  const percent = changes instanceof JsonObject ? changes.get('percent') : undefined
  return percent instanceof JsonObject ? changeOf(percent.get('day')) : undefined
}
