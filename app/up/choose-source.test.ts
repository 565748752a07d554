import { describe, expect, it } from 'vitest'
import { type Outcome, outcomes } from '../../core/outcomes.ts'
import { choiceOf } from './choose-source.ts'

const swept = (...ended: Outcome[]) =>
  ended.map((outcome, i) => ({ provider: `p${i}`, outcome, reason: `because ${outcome}` }))

describe('the source that auto takes', () => {
  it('is the sandbox where nobody can be reached', () => {
    expect(choiceOf(swept('transport-error', 'misconfigured', 'source-disabled'), 'live')).toEqual({
      kind: 'sandbox',
      why: 'no live source answered (p0: because transport-error; p1: because misconfigured; p2: because source-disabled) and no key is set: running on simulated data',
    })
    expect(choiceOf([], 'live').kind).toBe('sandbox')
  })
  it('names everyone that was asked, and once what is the same for all', () => {
    const reason = (host: string): string => `no whole answer from ${host} (ENOTFOUND)`
    const results = ['coinmarketcap', 'kraken', 'coinbase'].map(provider => ({
      ...{ provider, outcome: 'transport-error' as const },
      reason: `${reason(`api.${provider}.test`)}${provider === 'coinbase' ? ' (6 of 6 pages)' : ''}`,
    }))
    expect(choiceOf(results, 'live').why).toContain(
      'no live source answered (coinmarketcap, kraken, coinbase: ENOTFOUND) and no key is set',
    )
  })
  it.each((Object.keys(outcomes) as Outcome[]).filter(o => !/transport|disabled|misconf/.test(o)))(
    'is live after %s, which is no word about the network',
    outcome => {
      expect(choiceOf(swept('transport-error', outcome), 'live').kind).toBe('live')
    },
  )
  it('says who answered, or what keeps them all from it', () => {
    expect(choiceOf(swept('collected', 'transport-error', 'frozen'), 'live').why).toBe(
      'live data: p0 answered',
    )
    expect(choiceOf(swept('frozen', 'transport-error'), 'live').why).toBe('live data: p0 is frozen')
  })
  it('stays the sandbox where the tries of this slot are used up since then', () => {
    expect(choiceOf(swept('slot-exhausted', 'transport-error'), 'sandbox').kind).toBe('sandbox')
    expect(choiceOf(swept('frozen', 'slot-exhausted'), 'sandbox').kind).toBe('live')
  })
})
