import { afterAll, expect, it } from 'vitest'
import { collectPage } from '../../collectors/poll.ts'
import { pagesOf, knownAssetRefs } from '../../collectors/assets.ts'
import { addMs, MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { openJudged } from '../support/judged.ts'
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

const providers = ['coinmarketcap', 'kraken', 'coinbase']
const assets = ['bitcoin', 'ethereum', 'solana']
const slotMs = 10 * MINUTE
const rhythm = 42

/** Seven good hours, so that the rhythm of each source is known; then the fault for `bad` answers. Judged all the while. */
async function runJudged(name: string, change: FaultSpec, bad: number) {
  const clock = new VirtualClock(parseIso('2026-11-21T00:00:05Z'))
  const sandbox = await startSandbox({ clock })
  const fault = sandbox.faults.add({ ...change, times: null, provider: 'coinmarketcap', skip: rhythm })
  const env = { CRYPTOS_PROVIDERS: providers.join(), CRYPTOS_ASSETS: assets.join() }
  const rig = await openRig({ dataDir: place.file(name), sandboxUrl: sandbox.url, clock, env })
  const judged = await openJudged(rig, clock)
  try {
    for (let turn = 0; turn < rhythm + bad; turn += 1)
      await judged.turn(
        rig.collecting.routes.map(route => ({ route })),
        slotMs,
      )
    const [flags, gaps] = [await judged.stored('source-flag'), await judged.stored('gap')]
    const [consensus, serving] = [await judged.stored('consensus'), await judged.stored('serving')]
    const quotes = (await storedQuotes(rig.files.series)).filter(q => q.provider === 'coinmarketcap')
    const served = servedEntries(sandbox.meter).filter(e => e.provider === 'coinmarketcap')
    const { differences } = await rig.audit()
    return { flags, gaps, consensus, serving, quotes, served, differences, hits: sandbox.faults.hits(fault) }
  } finally {
    await judged.close()
    await rig.close()
    await sandbox.close()
  }
}

const badFrom = addMs(parseIso('2026-11-21T00:00:00Z'), rhythm * slotMs)
const change = (what: string, all = false) => ({ kind: 'change-body', change: what, all }) as FaultSpec

it('an asset that is left out silently is a gap each time, with the reason, and doubted from the fifth time on', async () => {
  const run = await runJudged('omitted-judged', change('omitted-row'), 12)
  expect(run.hits).toBe(12)
  expect(run.served.filter(e => e.values.length === 2)).toHaveLength(12)
  expect(run.gaps).toHaveLength(12)
  const slots = run.gaps.map(g => g.expectedAt)
  expect(slots).toEqual(Array.from({ length: 12 }, (_, n) => addMs(badFrom, n * slotMs)))
  const asset = run.gaps[0]!.asset
  for (const gap of run.gaps)
    expect(gap).toMatchObject({
      provider: 'coinmarketcap',
      asset,
      state: 'missing',
      reason: 'not in the answer',
    })
  expect(run.flags.map(f => [f.provider, f.asset, f.flag, f.observedAt])).toEqual(
    slots.slice(4).map(at => ['coinmarketcap', asset, 'silent-deprecation', at]),
  )
  // Nobody else is doubted, and the neighbours are stored as they were served.
  expect(storedPrices(run.quotes)).toEqual(servedPrices(run.served))
  const last = run.consensus.findLast(c => c.asset === asset)!
  expect(last.sources.find(s => s.provider === 'coinmarketcap')!.excluded).toMatch(
    /^silent-deprecation since/,
  )
  expect(run.serving.findLast(s => s.asset === asset)).toMatchObject({
    provider: 'kraken',
    skipped: [{ provider: 'coinmarketcap', why: expect.stringMatching(/^insane: silent-deprecation since/) }],
  })
  expect(run.differences).toEqual([])
})

it('the same answer for hours is one row, whose age rises until it is doubted and serves no more', async () => {
  const run = await runJudged('body-judged', change('frozen-body'), 27)
  expect(run.hits).toBe(26)
  expect(run.quotes).toHaveLength((rhythm + 1) * assets.length)
  expect(storedPrices(run.quotes)).toEqual(servedPrices(run.served))
  expect(run.gaps).toEqual([])
  for (const asset of assets) {
    const row = run.quotes.filter(q => q.asset === asset).at(-1)!
    const own = run.flags.filter(f => f.asset === asset)
    // A doubt is told once of a row: these are many answers and one row.
    expect(own.map(f => `${f.provider} ${f.flag}`)).toContain('coinmarketcap stale-clock')
    for (const flag of own)
      expect(flag).toMatchObject({ provider: 'coinmarketcap', observedAt: row.observedAt })
    expect((own[0]!.receivedAt - badFrom) / 3_600e6).toBeLessThan(4)
    const ages = run.consensus
      .filter(c => c.asset === asset && c.at > badFrom)
      .map(c => c.sources.find(s => s.provider === 'coinmarketcap')!)
    expect(ages.map(s => s.ageMs)).toEqual(ages.map(s => s.ageMs).toSorted((a, b) => a - b))
    expect(ages.at(-1)!.ageMs).toBeGreaterThan(3 * 60 * MINUTE)
    for (const source of ages.filter(s => s.ageMs > 15 * MINUTE)) expect(source.excluded).not.toBeNull()
    expect(run.serving.findLast(s => s.asset === asset)?.provider).toBe('kraken')
  }
  expect(run.differences).toEqual([])
})

it('the same price under a running clock is a row each time, doubted within hours and from then on each', async () => {
  const run = await runJudged('price-judged', change('frozen-price', true), 60)
  expect(run.hits).toBe(59)
  expect(run.quotes).toHaveLength((rhythm + 60) * assets.length)
  expect(storedPrices(run.quotes)).toEqual(servedPrices(run.served))
  for (const asset of assets) {
    const own = run.flags.filter(f => f.asset === asset && f.flag === 'frozen-value')
    const rows = run.quotes.filter(q => q.asset === asset && q.observedAt >= own[0]!.observedAt)
    expect((own[0]!.receivedAt - badFrom) / 3_600e6).toBeLessThan(5)
    expect(own.map(f => f.observedAt)).toEqual(rows.map(q => q.observedAt))
    const last = run.consensus.findLast(c => c.asset === asset)!
    expect(last.sources.find(s => s.provider === 'coinmarketcap')!.excluded).toContain('frozen-value since')
  }
  expect(new Set(run.flags.map(f => f.provider))).toEqual(new Set(['coinmarketcap']))
  expect(run.differences).toEqual([])
})
