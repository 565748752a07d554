import { describe, it } from 'vitest'
import type { EpochMicros } from '../core/brands.ts'
import type { SandboxPlan } from '../sandbox/plan.ts'
import type { Page, Provider } from './provider.ts'
import { refsOf, type TwinCase, waysOf } from './testing/test-twin.ts'
import { endsWell, faultCases, keepsAll, refusesKey } from './testing/twin-checks.ts'

export interface TwinContract {
  readonly provider: Provider
  /** Id of the dataset; the first one unless told otherwise. */
  readonly dataset?: string
  /** USD, or the provider's first currency. */
  readonly currency?: string
  /** All that the provider knows, unless told otherwise; a few where each is a call. Of a history the first two. */
  readonly assets?: readonly string[]
  /** A list of the largest, in place of assets. */
  readonly page?: Page
  /** What differs from the twin's own limits. */
  readonly limits?: Readonly<Record<string, unknown>>
  /** The same of CoinMarketCap's plan. */
  readonly plan?: Partial<SandboxPlan>
  /** 200 of the quotes; 40 of the rest and of a second way to ask, 12 of a history. */
  readonly sweeps?: number
  /** A key of the right form that the twin does not accept. */
  readonly wrongKey?: string
  /** The time of a record by the time that the twin noted; itself, of a history a midnight closes the day before. */
  readonly timeOf?: (served: EpochMicros) => EpochMicros
}

/** What a provider and its twin keep together: call it once for each dataset that is polled. */
export function twinContract(contract: TwinContract): void {
  const { provider } = contract
  const dataset = provider.datasets.find(d => d.id === (contract.dataset ?? provider.datasets[0]?.id))
  if (!dataset) throw new Error(`${provider.id} has no dataset ${contract.dataset}`)
  const refs = dataset.kind === 'metrics' ? [] : refsOf(provider, contract.assets)
  const own = provider.currencies?.includes('USD') === false ? provider.currencies[0] : 'USD'
  const { page, limits, plan, timeOf } = contract
  const common = {
    provider,
    dataset,
    page,
    limits,
    plan,
    timeOf,
    currency: contract.currency ?? own ?? 'USD',
  }
  const assets = dataset.kind === 'history' ? refs.slice(0, 2) : refs
  const most = dataset.kind === 'quotes' ? 200 : 40
  const sweepsOf = (way: number): number =>
    contract.sweeps ?? (dataset.kind === 'history' ? 12 : way === 0 ? most : 40)

  const name = `${provider.id} ${dataset.id} and its twin`
  for (const [way, key] of waysOf(provider, dataset).entries())
    describe(`${name}, ${key === undefined ? 'without a key' : 'with a key'}`, { timeout: 120_000 }, () => {
      const kase: TwinCase = { ...common, assets, key }
      const sweeps = sweepsOf(way)
      it(`keeps the limits and every price over ${sweeps} sweeps`, () => keepsAll(kase, sweeps))
      // One call a sweep: the fault meets it.
      const single = dataset.pageSize === 1 && !page ? { ...kase, assets: assets.slice(0, 1) } : kase
      for (const fault of faultCases)
        it(`ends well when ${JSON.stringify(fault.fault)}`, () => endsWell(single, fault))
    })
  if (!provider.keyed || dataset.access === 'keyless') return
  const key = contract.wrongKey ?? 'wrong-key-2718281828459'
  it(`${name}: a wrong key is unauthorized, and is written nowhere`, { timeout: 120_000 }, () =>
    refusesKey({ ...common, assets: assets.slice(0, 1), key }),
  )
}
