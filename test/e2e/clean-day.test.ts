import { describe, expect, it } from 'vitest'
import { MINUTE, parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { type Judged, openJudged } from '../support/judged.ts'
import { servedEntries, storedQuotes, table } from '../support/judge.ts'
import { openRig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

const assetsOf = 6
/** What is collected without a word of the user. */
const eight = [
  'coinmarketcap',
  'coindesk',
  'bitcoinaverage',
  'kraken',
  'coinbase',
  'binance',
  'coinpaprika',
  'mempool',
]

describe('a day without a lie', () => {
  it('has no flag and no gap, and a consensus each minute of each asset', async () => {
    using folder = scratch('clean-day')
    const clock = new VirtualClock(parseIso('2026-11-21T00:00:05Z'))
    const sandbox = await startSandbox({ clock })
    const rig = await openRig({ dataDir: folder.file('data'), sandboxUrl: sandbox.url, clock })
    const judged = await openJudged(rig, clock)
    try {
      expect(rig.collecting.routes.map(r => r.provider.id)).toEqual(eight)
      // Asked every two minutes, if the planner says so; judged each minute.
      for (let turn = 0; turn < 720; turn += 1)
        await judged.turn(
          rig.collecting.routes.map(route => ({ route, planned: true })),
          2 * MINUTE,
        )
      await expectClean(judged, sandbox)
    } finally {
      await judged.close()
      await rig.close()
      await sandbox.close()
    }
  }, 900_000)
})

async function expectClean(judged: Judged, sandbox: Sandbox): Promise<void> {
  expect(await judged.stored('source-flag')).toEqual([])
  expect(await judged.stored('gap')).toEqual([])
  const served = new Map(eight.map(name => [name, 0]))
  for (const { provider, values } of servedEntries(sandbox.meter))
    served.set(provider, (served.get(provider) ?? 0) + values.length)
  // Whoever is silent is no witness.
  for (const [provider, count] of served) expect(count, provider).toBeGreaterThan(140)
  const consensus = await judged.stored('consensus')
  for (const currency of ['USD', 'USDT']) {
    const own = consensus.filter(c => c.currency === currency)
    expect(new Set(own.map(c => c.at)).size).toBe(1_440)
    expect(own).toHaveLength(1_440 * assetsOf)
  }
  expect(consensus.filter(c => c.isDivergent)).toEqual([])
  const refused = consensus.flatMap(c => c.sources).filter(s => s.excluded !== null)
  expect(refused.filter(s => !/^too old/.test(s.excluded!))).toEqual([])
  expect((await judged.stored('serving')).filter(s => s.provider === null)).toEqual([])
  expect((await judged.rig.audit()).differences).toEqual([])
  const rows = (await storedQuotes(judged.rig.files.series)).length
  console.log(
    table(['a clean day', 'values'], [...served, ['rows stored', rows], ['consensus', consensus.length]]),
  )
}
