import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twins } from '../sandbox/registry.ts'
import type { TrapBench, TrapEnd } from './testing/trap-run.ts'
import { lostAssets, openTrapBench, wrongFigures, wrongPrices } from './testing/trap-run.ts'
import { bodyTraps } from './testing/traps.ts'
import type { Dataset, Provider } from './provider.ts'
import { providers } from './registry.ts'

/**
 * Every dataset by every way, but what traps.test.ts has (the first of quotes, with a key where there is one) and the histories,
 * whose spoiled bodies are the provider contract's.
 */
function othersOf(provider: Provider) {
  const main = provider.datasets.find(d => d.kind === 'quotes')
  const ways = (['keyed', 'keyless'] as const).filter(way => provider[way] !== undefined)
  const fits = (dataset: Dataset, way: string): boolean =>
    (dataset.access ?? way) === way && dataset.kind !== 'history'
  return ways.flatMap(way =>
    provider.datasets
      .filter(dataset => fits(dataset, way) && !(dataset === main && way === ways[0]))
      .map(dataset => ({ provider, dataset, way, name: `${provider.id} ${dataset.id}, ${way}` })),
  )
}

const cases = providers.filter(p => twins.some(twin => twin.id === p.id)).flatMap(othersOf)

/** What holds whatever the body says; the price of the call is another file's. */
function expectSound(end: TrapEnd): void {
  expect(wrongPrices(end)).toEqual([])
  expect(wrongFigures(end)).toEqual([])
  expect(lostAssets(end)).toEqual([])
  const { records = [], metrics = [], missing = [] } = end.mapped ?? {}
  if (end.result.outcome === 'collected') expect(records.length + metrics.length).toBeGreaterThan(0)
  if (end.result.outcome === 'partial') expect(missing.length).toBeGreaterThan(0)
}

describe.each(cases)('$name', { timeout: 30_000 }, ({ provider, dataset, way }) => {
  let bench: TrapBench
  let hits = 0
  beforeAll(async () => {
    bench = await openTrapBench(provider, { dataset, way, assets: 2 })
    const { result } = await bench.poll(undefined)
    expect(result).toMatchObject({ outcome: 'collected' })
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it.each(bodyTraps)('$name: what the body says is recorded, or nothing', async trap => {
    const end = await bench.poll(trap.fault, trap.change.startsWith('frozen') ? 2 : 1)
    expect(trap.ends, end.result.reason).toContain(end.result.outcome)
    expectSound(end)
    hits += end.hits
  })

  it('has a place for half of the changes at least', () => {
    expect(hits).toBeGreaterThanOrEqual(bodyTraps.length / 2)
  })
})
