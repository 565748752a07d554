import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../core/brands.ts'
import { DAY, parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { assetRef } from '../collectors/assets.ts'
import { datasetsOf } from '../collectors/poll-types.ts'
import { startSandbox } from '../sandbox/server.ts'
import { openRig } from '../test/support/rig.ts'
import { scratch } from '../test/support/scratch.ts'
import { backfill, backfillPages, windowsOf } from './backfill.ts'

const day = (text: string): EpochMicros => parseIso(`${text}T00:00:00Z`)
const signal = new AbortController().signal

describe('windows of a backfill', () => {
  it('cover the range once, in order, on a grid that does not depend on it', () => {
    const days = fc.nat({ max: 20_000 })
    fc.assert(
      fc.property(
        days,
        fc.integer({ min: 1, max: 3_000 }),
        fc.integer({ min: 1, max: 400 }),
        (first, count, width) => {
          const dayMicros = DAY * 1_000
          const range = { from: EpochMicros(first * dayMicros), to: EpochMicros((first + count) * dayMicros) }
          const windows = windowsOf(range, width * DAY)
          expect(windows[0]?.from).toBe(range.from)
          expect(windows.at(-1)?.to).toBe(range.to)
          for (const [index, { from, to }] of windows.entries()) {
            expect(to).toBeGreaterThan(from)
            if (index > 0) expect(windows[index - 1]?.to).toBe(from)
            if (index > 0) expect(from % (width * dayMicros)).toBe(0)
          }
        },
      ),
    )
  })
})

describe('a backfill', () => {
  it('goes on where the quota ended it, pays nothing twice, and stores what was served', async () => {
    using folder = scratch('backfill')
    const clock = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))
    const sandbox = await startSandbox({ clock })
    const rig = await openRig({
      ...{ dataDir: folder.file('data'), sandboxUrl: sandbox.url, clock },
      env: { CRYPTOS_PROVIDERS: 'coinpaprika' },
    })
    try {
      const [route] = rig.collecting.routes
      const dataset = route && datasetsOf(route.poll).find(d => d.kind === 'history')
      if (!route || !dataset) throw new Error('no history')
      const { ledger } = rig.collecting
      await ledger.openScope(
        { ...route.scope, limits: { ...route.scope.limits, callsPerMinute: 3 } },
        clock.now(),
      )
      const refs = ['bitcoin', 'ethereum', 'solana', 'xrp', 'cardano'].map(id =>
        assetRef(route.provider, AssetId(id)),
      )
      const pages = backfillPages(dataset, refs, 'USD', { from: day('2026-11-01'), to: day('2026-11-21') })
      expect(pages).toHaveLength(5)
      const run = () => backfill(rig.ports, { route, dataset, pages }, signal, () => undefined)

      const first = await run()
      expect(first).toMatchObject({ outcome: 'denied-by-quota', done: 3 })
      expect(first.reason).toContain('2 of 5 calls are left')
      clock.advance(2 * 60_000)
      const second = await run()
      expect(second).toMatchObject({ outcome: 'collected', done: 5 })
      const before = sandbox.meter.summary().counts['requests']
      expect(await run()).toMatchObject({ outcome: 'collected', done: 5, credits: 0 })
      expect(sandbox.meter.summary().counts['requests']).toBe(before)
      expect(before).toBe(5)
      expect(first.records + second.records).toBe(5 * 20)

      await rig.drain()
      expect(await rig.audit()).toMatchObject({
        answers: 5,
        differences: [],
        badGroups: [],
        rows: { store: 100 },
      })
    } finally {
      await rig.close()
      await sandbox.close()
    }
  })
})
