import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, toIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { assetRef } from '../collectors/assets.ts'
import { collectPage } from '../collectors/poll.ts'
import { datasetsOf } from '../collectors/poll-types.ts'
import { providers } from '../collectors/registry.ts'
import { openTestPoll } from '../collectors/testing/test-poll.ts'
import { waysOf } from '../collectors/testing/test-twin.ts'
import { type Sandbox, startSandbox } from '../sandbox/server.ts'
import { openRig } from '../test/support/rig.ts'
import { scratch } from '../test/support/scratch.ts'
import { backfill, backfillPages, offeredDays, windowsOf } from './backfill.ts'
import { currencyFor } from './wanted.ts'

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

const histories = providers.flatMap(provider =>
  provider.datasets.flatMap(dataset =>
    dataset.history
      ? waysOf(provider, dataset).map(
          key =>
            [`${provider.id} ${dataset.id}`, { provider, dataset, key, shape: dataset.history }] as const,
        )
      : [],
  ),
)

describe('the days that a backfill offers', () => {
  const iso = (text: string, shape: Parameters<typeof offeredDays>[0]) => {
    const { first, end } = offeredDays(shape, parseIso(text))
    return [first === null ? null : toIso(first).slice(0, 10), toIso(end).slice(0, 10)]
  }

  it('are over for as long as the provider needs', () => {
    const shape = { reachMs: null, readyMs: 35 * MINUTE }
    expect(iso('2026-11-21T00:34:59Z', shape)).toEqual([null, '2026-11-20'])
    expect(iso('2026-11-21T00:35:00Z', shape)).toEqual([null, '2026-11-21'])
    expect(iso('2026-11-21T00:59:59Z', { reachMs: null })).toEqual([null, '2026-11-20'])
    expect(iso('2026-11-21T01:00:00Z', { reachMs: null })).toEqual([null, '2026-11-21'])
  })

  it('begin within the reach from now, at every moment', () => {
    for (const now of ['2026-11-21T00:00:00Z', '2026-11-21T12:00:00Z', '2026-11-21T23:59:59.999Z'])
      expect(iso(now, { reachMs: 365 * DAY })[0]).toBe('2025-11-22')
  })

  it.each(histories)('are served, the farthest and the newest: %s', async (_, asked) => {
    const readyMs = asked.shape?.readyMs ?? HOUR
    for (const afterMidnight of [readyMs, DAY - 1]) {
      const clock = new VirtualClock(addMs(day('2026-11-21'), afterMidnight))
      const sandbox = await startSandbox({ clock })
      try {
        await expectServed(asked, sandbox, clock)
      } finally {
        await sandbox.close()
      }
    }
  })
})

/** The farthest and the newest day that may be asked for now, one call each. */
async function expectServed(
  { provider, dataset, key, shape }: (typeof histories)[number][1],
  sandbox: Sandbox,
  clock: VirtualClock,
): Promise<void> {
  await using poll = await openTestPoll(sandbox.url, clock)
  const source = await poll.source(provider, sandbox.baseUrl(provider.id), key)
  const [asset] = dataset.assets ?? provider.assets.keys()
  if (asset === undefined || !shape) throw new Error('no asset or no history')
  const { first, end } = offeredDays(shape, clock.now())
  const currency = currencyFor(provider, 'USD') ?? 'USD'
  const newest = addMs(end, -DAY)
  for (const from of first === null ? [newest] : [first, newest]) {
    const page = { assets: [assetRef(provider, asset)], currency, range: { from, to: addMs(from, DAY) } }
    const slot = `test/${dataset.id}/${toIso(from)}/0`
    const result = await collectPage(poll.ports, { source, dataset, page, slot, signal })
    const told = `${toIso(from)} at ${toIso(clock.now())}: ${result.reason}`
    expect([result.outcome, result.records], told).toEqual(['collected', 1])
  }
}

describe('a backfill', () => {
  it('says which days an answer lacks, and leaves a gap', async () => {
    using folder = scratch('backfill-partial')
    const clock = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))
    const sandbox = await startSandbox({ clock })
    const rig = await openRig({
      ...{ dataDir: folder.file('data'), sandboxUrl: sandbox.url, clock },
      env: { CRYPTOS_PROVIDERS: 'bitstamp' },
    })
    try {
      const [route] = rig.collecting.routes
      const dataset = route && datasetsOf(route.poll).find(d => d.kind === 'history')
      if (!route || !dataset) throw new Error('no history')
      const refs = [assetRef(route.provider, AssetId('bitcoin'))]
      const range = { from: day('2011-08-14'), to: day('2011-08-22') }
      const pages = backfillPages(dataset, refs, 'USD', range)
      const run = () => backfill(rig.ports, { route, dataset, pages }, signal, () => undefined)
      expect(await run()).toMatchObject({
        ...{ outcome: 'partial', done: 1, asked: 1, partial: 1, records: 4 },
        reason: expect.stringContaining('2011-08-14 to 2011-08-17: not in the answer'),
      })
      await rig.drain()
      expect(await rig.audit()).toMatchObject({ answers: 1, differences: [], badGroups: [] })
      expect(await run()).toMatchObject({ outcome: 'already-done', asked: 0, partial: 0 })
    } finally {
      await rig.close()
      await sandbox.close()
    }
  })

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

      const away = async (): Promise<never> => {
        throw new CryptosError('CRY_SERVER_UNREACHABLE', 'Kafka is away')
      }
      const one = { route, dataset, pages: pages.slice(0, 1) }
      const stuck = await backfill({ ...rig.ports, publish: away }, one, signal, () => undefined)
      expect(stuck).toMatchObject({ outcome: 'unpublished', done: 1, records: 20 })
      expect(stuck.reason).toContain('1 answer in the outbox')
      expect(stuck.reason).toContain('Kafka is away')
      expect(stuck.retryAt).toBeGreaterThan(clock.now())

      const first = await run()
      expect(first).toMatchObject({ outcome: 'denied-by-quota', done: 3 })
      expect(first.reason).toContain('2 of 5 calls are left')
      clock.advance(2 * 60_000)
      const second = await run()
      expect(second).toMatchObject({ outcome: 'collected', done: 5 })
      const before = sandbox.meter.summary().counts['requests']
      expect(await run()).toMatchObject({ outcome: 'already-done', done: 5, credits: 0 })
      expect(sandbox.meter.summary().counts['requests']).toBe(before)
      expect(before).toBe(5)
      expect(stuck.records + first.records + second.records).toBe(5 * 20)

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
