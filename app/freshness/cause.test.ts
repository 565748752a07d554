import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Outcome } from '../../core/outcomes.ts'
import type { Gap, GapState, Run } from '../../core/records.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { causeOf, type Evidence } from './cause.ts'

const answeredAt = EpochMicros(1_700_000_000_000_000)
const later = (minutes: number) => addMs(answeredAt, minutes * MINUTE)
const provider = ProviderId('kraken')

const run = (outcome: Outcome, minutes: number, reason = `${outcome} told`): Run => ({
  ...{ kind: 'run', runId: `${minutes}`, provider, dataset: 'quotes', slot: 's', outcome, reason },
  ...{ startedAt: later(minutes), endedAt: later(minutes), credits: 0, records: 0 },
})

const gap = (state: GapState, minutes: number): Gap => ({
  ...{ kind: 'gap', provider, dataset: 'quotes', asset: AssetId('bitcoin'), sourceId: 'X', currency: 'USD' },
  ...{ expectedAt: answeredAt, state, reason: 'told by a gap', receivedAt: later(minutes), revision: 0 },
  ...{ origin: 'live', runId: 'r', rawRef: 'run|r' },
})

const cause = (evidence: Partial<Evidence>) =>
  causeOf({ runs: [], gap: null, answeredAt, held: null, ...evidence })

describe('why there is no young answer', () => {
  it('nothing ran: neither a run nor a gap nor a hold says anything', () => {
    expect(cause({}).kind).toBe('nothing-ran')
    expect(cause({ answeredAt: null }).reason).toContain('there is no run of it')
    expect(cause({ runs: [run('collected', 0.1)] })).toEqual({
      kind: 'nothing-ran',
      reason: expect.stringMatching(/newest run began at 2023-11-14T22:13:26.*collected.*is a schedule on/),
    })
  })
  it('all skipped, with what by whom and the newest reason', () => {
    const runs = [run('denied-by-quota', 9, 'newest'), run('not-due', 8), run('denied-by-quota', 7)]
    expect(cause({ runs: [...runs, run('collected', 1), run('failed', 0.5)] })).toEqual({
      kind: 'all-skipped',
      reason:
        'every run since the last answer was skipped (denied-by-quota 2, not-due 1); the newest, denied-by-quota: newest',
    })
  })
  it('says so where there never was an answer', () => {
    expect(cause({ answeredAt: null, runs: [run('frozen', 1)] }).reason).toMatch(/^every run so far was/)
  })
  it('failing, as soon as one did, and its own reason', () => {
    const runs = [run('not-due', 9), run('transport-error', 8, 'no route'), run('already-done', 7)]
    expect(cause({ runs })).toEqual({
      kind: 'failing',
      reason: expect.stringContaining('1 of 3 runs since the last answer failed (transport-error 1); the'),
    })
    expect(cause({ runs }).reason).toContain('no route')
  })
  it('leaves out what ran before the last answer', () => {
    expect(cause({ runs: [run('failed', -1)] }).kind).toBe('nothing-ran')
  })
  it('takes the word of the gap ledger where no run was kept', () => {
    expect(cause({ gap: gap('denied', 3) }).kind).toBe('all-skipped')
    expect(cause({ gap: gap('frozen', 3) }).reason).toContain('told by a gap')
    expect(cause({ gap: gap('provider-down', 3) }).kind).toBe('failing')
    for (const silent of [gap('denied', -1), gap('collected', 3), gap('missing', 3)])
      expect(cause({ gap: silent }).kind).toBe('nothing-ran')
  })
  it('takes what holds the quota last', () => {
    const held = "the month's credits are used: 0 are left"
    expect(cause({ held })).toEqual({ kind: 'all-skipped', reason: held })
    expect(cause({ held, runs: [run('provider-error', 2)] }).kind).toBe('failing')
  })
})
