import { figureOf, rowOf, unixTimeOf, wholeOf } from '../../check.ts'
import { parseExact } from '../../json.ts'
import { mapMetrics } from '../../mapping-metrics.ts'
import type { Mapped, MappingContext } from '../../provider.ts'

/** `/v1/global`: the figures name their currency themselves (`…_usd`), whatever a page asks for. */
export function mapGlobal(body: Uint8Array, context: MappingContext): Mapped {
  const root = rowOf(parseExact(body), '$')
  const updated = root.get('last_updated') ?? undefined
  const time = { receivedAt: context.receivedAt, unit: 'seconds' } as const
  const count = root.get('cryptocurrencies_number')
  return mapMetrics(
    [
      { name: 'total-market-cap', currency: 'USD', value: figureOf(root.get('market_cap_usd'), 'unknown') },
      { name: 'total-volume-24h', currency: 'USD', value: figureOf(root.get('volume_24h_usd'), 'unknown') },
      { name: 'bitcoin-dominance', value: figureOf(root.get('bitcoin_dominance_percentage'), 'unknown') },
      { name: 'assets', value: wholeOf(count) === undefined ? undefined : figureOf(count, 'unknown') },
    ],
    {
      path: '$',
      observedAt: updated === undefined ? undefined : unixTimeOf(updated, '$.last_updated', time),
    },
    context,
  )
}
