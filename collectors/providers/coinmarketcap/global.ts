import type { DecimalString } from '../../../core/brands.ts'
import { figureOf, refusePayload, rowOf, timeOf, wholeOf } from '../../check.ts'
import type { Json } from '../../json.ts'
import { mapMetrics } from '../../mapping-metrics.ts'
import type { Mapped, MappingContext } from '../../provider.ts'
import { dataOf } from './map.ts'
import { quoteIn } from './quote.ts'

/**
 * `/v1/global-metrics/quotes/latest`. Amounts come from the quote in the asked currency alone: the members of the same names beside it
 * (`defi_market_cap`) do not say their currency. 0 means unknown.
 */
export function mapGlobal(body: Uint8Array, context: MappingContext): Mapped {
  const { currency } = context.page
  const data = rowOf(dataOf(body), '$.data')
  const quote = quoteIn(data, '$.data', currency)
  if (quote === undefined) return refusePayload('$.data.quote', `a quote in ${currency}`, undefined)
  const path = `$.data.quote.${currency}`
  const updated = quote.get('last_updated')
  const amount = (name: string): DecimalString | undefined => figureOf(quote.get(name), 'unknown')
  const observedAt =
    updated === undefined ? undefined : timeOf(updated, `${path}.last_updated`, context.receivedAt)
  const figures = [
    { name: 'total-market-cap', currency, value: amount('total_market_cap') },
    { name: 'total-volume-24h', currency, value: amount('total_volume_24h') },
    { name: 'altcoin-market-cap', currency, value: amount('altcoin_market_cap') },
    { name: 'defi-market-cap', currency, value: amount('defi_market_cap') },
    { name: 'stablecoin-market-cap', currency, value: amount('stablecoin_market_cap') },
    { name: 'bitcoin-dominance', value: shareOf(data.get('btc_dominance')) },
    { name: 'ethereum-dominance', value: shareOf(data.get('eth_dominance')) },
    { name: 'assets', value: countOf(data.get('active_cryptocurrencies')) },
    { name: 'exchanges', value: countOf(data.get('active_exchanges')) },
    { name: 'markets', value: countOf(data.get('active_market_pairs')) },
  ] as const
  return mapMetrics(figures, { path: '$.data', observedAt }, context)
}

/** Per cent of the market: above 0, at most 100. */
function shareOf(value: Json | undefined): DecimalString | undefined {
  const share = figureOf(value, 'unknown')
  return share !== undefined && Number(share) <= 100 ? share : undefined
}

const countOf = (value: Json | undefined): DecimalString | undefined =>
  wholeOf(value) === undefined ? undefined : figureOf(value, 'unknown')
