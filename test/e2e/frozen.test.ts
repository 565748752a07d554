import { afterAll, expect, it } from 'vitest'
import { collectPage } from '../../collectors/poll.ts'
import { pagesOf, knownAssetRefs } from '../../collectors/assets.ts'
import { parseIso, MINUTE } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { servedEntries, servedPrices, storedPrices, storedQuotes } from '../support/judge.ts'
import { openRig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('frozen')
afterAll(() => place[Symbol.dispose]())

/** Ten sweeps of three coins, one each ten minutes, stored by the program's own parts. */
async function runSweeps(name: string, fault: FaultSpec) {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const sandbox = await startSandbox({ clock })
  sandbox.faults.add({ ...fault, times: null })
  const env = { CRYPTOS_PROVIDERS: 'coinmarketcap' }
  const rig = await openRig({ dataDir: place.file(name), sandboxUrl: sandbox.url, clock, env })
  try {
    const source = rig.collecting.routes[0]?.poll
    const dataset = source?.provider.datasets[0]
    if (!source || !dataset) throw new Error('no route')
    const refs = knownAssetRefs(source.provider).slice(0, 3)
    const [page] = pagesOf(dataset, refs, 'USD')
    if (!page) throw new Error('no page')
    const ends = []
    for (let sweep = 1; sweep <= 10; sweep += 1) {
      const task = { source, dataset, page, slot: `frozen/${sweep}`, signal: new AbortController().signal }
      ends.push(await collectPage(rig.ports, task))
      await rig.drain()
      clock.advance(10 * MINUTE)
    }
    const { differences } = await rig.audit()
    const quotes = await storedQuotes(rig.files.series)
    const served = servedEntries(sandbox.meter)
    return { ends, quotes, served, differences, hits: sandbox.faults.hits(fault.kind), refs }
  } finally {
    await rig.close()
    await sandbox.close()
  }
}

it('an answer that comes again and again with one time is stored once', async () => {
  const { ends, quotes, served, differences, hits } = await runSweeps('body', {
    kind: 'change-body',
    change: 'frozen-body',
  })
  expect(hits).toBe(9)
  expect(ends.map(end => end.outcome)).toEqual(Array(10).fill('collected'))
  expect(served).toHaveLength(10)
  expect(quotes).toHaveLength(3)
  expect(storedPrices(quotes)).toEqual(servedPrices(served))
  expect(differences).toEqual([])
})

it('a price that stands still while its time goes on is stored each time, as it was served', async () => {
  const { quotes, served, hits } = await runSweeps('price', {
    ...{ kind: 'change-body', change: 'frozen-price' },
  })
  expect(hits).toBe(9)
  expect(quotes).toHaveLength(30)
  expect(storedPrices(quotes)).toEqual(servedPrices(served))
  const first = quotes.filter(q => q.sourceId === served[0]?.values[0]?.sourceId)
  expect(new Set(first.map(q => q.price)).size).toBe(1)
})

it('an asset that the provider leaves out is named each time, and its neighbours are stored', async () => {
  const { ends, quotes, served, differences, hits, refs } = await runSweeps('omitted', {
    kind: 'change-body',
    change: 'omitted-row',
  })
  expect(hits).toBe(10)
  for (const end of ends) {
    expect(end.outcome).toBe('partial')
    expect(end.reason).toBe(`2 prices, none for ${refs[0]?.asset} (not in the answer)`)
  }
  expect(quotes).toHaveLength(20)
  expect(storedPrices(quotes)).toEqual(servedPrices(served))
  expect(differences).toEqual([])
})
