import type { DecimalString } from '../../../core/brands.ts'
import { figureOf, objectOf, unixTimeOf, wholeOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { mapMetrics } from '../../mapping-metrics.ts'
import type { Mapped, MappingContext } from '../../provider.ts'

/** `/global`: amounts by currency in lower case, shares by symbol; `markets` counts exchanges (documented so). */
export function mapGlobal(body: Uint8Array, context: MappingContext): Mapped {
  const data = objectOf(objectOf(parseExact(body), '$').get('data'), '$.data')
  const { currency } = context.page
  const amount = (name: string): DecimalString | undefined => memberOf(data.get(name), currency.toLowerCase())
  const share = (symbol: string): DecimalString | undefined =>
    memberOf(data.get('market_cap_percentage'), symbol)
  const updated = data.get('updated_at') ?? undefined
  const time = { receivedAt: context.receivedAt, unit: 'seconds' } as const
  return mapMetrics(
    [
      { name: 'total-market-cap', currency, value: amount('total_market_cap') },
      { name: 'total-volume-24h', currency, value: amount('total_volume') },
      { name: 'bitcoin-dominance', value: share('btc') },
      { name: 'ethereum-dominance', value: share('eth') },
      { name: 'assets', value: countOf(data.get('active_cryptocurrencies')) },
      { name: 'exchanges', value: countOf(data.get('markets')) },
    ],
    {
      path: '$.data',
      observedAt: updated === undefined ? undefined : unixTimeOf(updated, '$.data.updated_at', time),
    },
    context,
  )
}

const memberOf = (value: Json | undefined, name: string): DecimalString | undefined =>
  value instanceof JsonObject ? figureOf(value.get(name), 'unknown') : undefined

const countOf = (value: Json | undefined): DecimalString | undefined =>
  wholeOf(value) === undefined ? undefined : figureOf(value, 'unknown')
