import { AssetId } from '../../../core/brands.ts'
import { refFinder } from '../../assets.ts'
import { changeOf, figureOf, objectOf, priceOf, refusePayload, rowOf, unixTimeOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, HttpRequest, Mapped, MappingContext, Page } from '../../provider.ts'
import { assets, idPattern } from './assets.ts'

/** `precision=full`: without it prices are rounded. */
export const requestPrices = ({ assets: refs, currency }: Page): HttpRequest => ({
  path: '/simple/price',
  query: {
    ids: refs.map(ref => ref.sourceId).join(','),
    vs_currencies: currency.toLowerCase(),
    ...{ include_market_cap: 'true', include_24hr_vol: 'true', include_24hr_change: 'true' },
    ...{ include_last_updated_at: 'true', precision: 'full' },
  },
  headers: { accept: 'application/json' },
})

/**
 * `{bitcoin: {usd, usd_market_cap, usd_24h_vol, usd_24h_change, last_updated_at}}`: the price is the member named by the currency,
 * in lower case, so another currency is never taken for it. Unknown ids are left out in silence.
 */
export function mapPrices(body: Uint8Array, context: MappingContext): Mapped {
  const root = objectOf(parseExact(body), '$')
  const find = finder(context)
  const rows = new MappedRows(context)
  let found = 0
  for (const [id, value] of root.members()) {
    const ref = find(id, value)
    if (!ref) continue
    found += 1
    rows.add(ref, () => readCoin(value, ref, context))
  }
  // An answer without a single coin of ours answers something else.
  if (found === 0) return refusePayload('$', 'the asked coins', undefined)
  return rows.result()
}

function finder({ page }: MappingContext): (id: string, value: Json) => AssetRef | undefined {
  const known = refFinder(page, assets)
  return (id, value) => {
    const ref = known(id)
    if (ref || page.assets.length > 0 || !idPattern.test(id) || !(value instanceof JsonObject)) return ref
    return { asset: AssetId(`coingecko:${id}`), symbol: id, sourceId: id }
  }
}

function readCoin(value: Json, ref: AssetRef, { page, receivedAt }: MappingContext): Row {
  const path = `$[${JSON.stringify(ref.sourceId)}]`
  const coin = rowOf(value, path)
  const currency = page.currency.toLowerCase()
  const price = coin.get(currency)
  if (price === undefined || price === null) return { ref, none: `no price in ${page.currency}` }
  const updated = coin.get('last_updated_at') ?? undefined
  const time = { receivedAt, unit: 'seconds' } as const
  return {
    ref,
    currency: page.currency,
    price: priceOf(price, `${path}.${currency}`),
    marketCap: figureOf(coin.get(`${currency}_market_cap`), 'unknown'),
    volume24h: figureOf(coin.get(`${currency}_24h_vol`), 'counts'),
    change24h: changeOf(coin.get(`${currency}_24h_change`)),
    observedAt: updated === undefined ? undefined : unixTimeOf(updated, `${path}.last_updated_at`, time),
  }
}
