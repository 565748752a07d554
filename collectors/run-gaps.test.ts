import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { assetRef, knownAssetRefs } from './assets.ts'
import type { PageResult, PageTask, Source } from './poll-types.ts'
import { kraken } from './providers/kraken/index.ts'
import { RunGaps } from './run-gaps.ts'

const now = parseIso('2026-11-21T12:00:05Z')
const slot = 'kraken/quotes/2026-11-21T12:00:00.000Z/0.abcd'
const assets = knownAssetRefs(kraken).slice(0, 2)
const task: PageTask = {
  source: { provider: kraken, origin: 'live' } as unknown as Source,
  dataset: kraken.datasets[0]!,
  ...{ page: { assets, currency: 'USD' }, slot, signal: new AbortController().signal },
}
const result = (outcome: PageResult['outcome'], more: Partial<PageResult> = {}): PageResult => ({
  ...{ outcome, reason: 'because', slot, runId: 'run-1', credits: 0, records: 0 },
  ...more,
})

describe('gaps of runs', () => {
  it.each([
    ['denied-by-quota', 'denied'],
    ['transport-error', 'provider-down'],
    ['unauthorized', 'failed'],
  ] as const)('%s leaves every asked asset open as %s, at the start of the period', (outcome, state) => {
    const gaps = new RunGaps().of(task, result(outcome), now)
    expect(gaps.map(g => [g.asset, g.state, g.reason, g.expectedAt])).toEqual(
      assets.map(({ asset }) => [asset, state, `${outcome}: because`, parseIso('2026-11-21T12:00:00Z')]),
    )
    expect(assetRef(kraken, assets[0]!.asset).sourceId).toBe(gaps[0]?.sourceId)
  })

  it('are closed by a later answer of the slot, of this process or of another', () => {
    const gaps = new RunGaps()
    const run = (outcome: PageResult['outcome'], more: Partial<PageResult> = {}) => {
      const found = gaps.of(task, result(outcome, more), now)
      gaps.told(result(outcome, more))
      return found.map(g => g.state)
    }
    expect(run('collected', { answerId: `${slot}#1` })).toEqual([])
    expect(run('denied-by-quota')).toEqual(['denied', 'denied'])
    expect(run('denied-by-quota')).toEqual([])
    expect(run('transport-error')).toEqual(['provider-down', 'provider-down'])
    // What the answer did not hold tells its own gap: the same id, and a later version.
    expect(run('partial', { answerId: `${slot}#1` })).toEqual(['collected', 'collected'])
    expect(run('collected', { answerId: `${slot}#1` })).toEqual([])
    expect(run('collected', { answerId: `${slot}#2` })).toEqual(['collected', 'collected'])
  })

  it('are told again where the topic did not take them', () => {
    const gaps = new RunGaps()
    expect(gaps.of(task, result('frozen'), now)).toHaveLength(2)
    expect(gaps.of(task, result('frozen'), now)).toHaveLength(2)
    gaps.told(result('frozen'))
    expect(gaps.of(task, result('frozen'), now)).toEqual([])
  })

  it.each([
    'collected',
    'partial',
    'published',
    'already-done',
    'in-flight',
    'aborted',
    'payload-invalid',
  ] as const)('of %s there are none: the answer tells its own, or somebody else is at it', outcome =>
    expect(new RunGaps().of(task, result(outcome), now)).toEqual([]),
  )
})
