import { airflowCatalogOf } from './airflow-catalog.ts'

/** `airflow/pools.json`, which `airflow pools import` reads: a pool for each provider, in which its calls wait for each other. */
export function airflowPools(): string {
  const pools = airflowCatalogOf().providers.map(({ title, pool, pool_slots: slots }) => {
    return [pool, { slots, description: `Calls to ${title} at once`, include_deferred: false }] as const
  })
  return `${JSON.stringify(Object.fromEntries(pools), null, 2)}\n`
}
