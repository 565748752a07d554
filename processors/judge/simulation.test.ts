import { describe, expect, it } from 'vitest'
import { type FlagKind, flagKinds } from '../../core/records.ts'
import type { Fault } from './faults.contract.ts'
import { judgeDefaults } from './defaults.ts'
import { score } from './score.contract.ts'
import { tableOf } from './tally.contract.ts'

const days = 1.5
const from = 1_080
const hour = 60
const base = { from, asset: 'bitcoin', currency: 'USD' } as const

/** One lie of each kind, on prices that do not meet; day one is for learning. */
const faults: readonly Fault[] = [
  {
    ...base,
    expected: 'frozen-value',
    what: '',
    to: from + 12 * hour,
    providers: ['kraken'],
    act: { kind: 'freeze' },
  },
  {
    ...{
      ...base,
      currency: 'EUR',
      expected: 'wrong-currency',
      what: '',
      to: from + hour,
      providers: ['coindesk'],
    },
    act: { kind: 'in-currency', currency: 'USD' },
  },
  {
    ...{
      ...base,
      asset: 'ethereum',
      expected: 'unit-jump',
      what: '',
      to: from + hour,
      providers: ['coinbase'],
    },
    act: { kind: 'times', factor: 100 },
  },
  {
    ...{ ...base, asset: 'solana', expected: 'outlier', what: '', to: from + hour, providers: ['kraken'] },
    act: { kind: 'times', factor: 1.15 },
  },
  {
    ...{ ...base, asset: 'dogecoin', expected: 'stale-clock', what: '', to: from + 4 * hour },
    ...{ providers: ['coinmarketcap'], act: { kind: 'clock-stops' } },
  },
  {
    ...{ ...base, asset: 'dogecoin', from: from + 5 * hour, expected: 'silent-deprecation', what: '' },
    ...{ to: from + 8 * hour, providers: ['coinpaprika'] },
    act: { kind: 'gap', state: 'missing', reason: 'not in the answer' },
  },
  {
    ...{
      ...base,
      asset: 'litecoin',
      expected: 'changed-json',
      what: '',
      to: from + 2 * hour,
      providers: ['kraken'],
    },
    act: { kind: 'gap', state: 'missing', reason: '$.c.0: wanted a decimal number, got nothing' },
  },
  {
    ...{
      ...base,
      asset: 'ethereum',
      from: from + 5 * hour,
      expected: 'divergence',
      what: '',
      to: from + 8 * hour,
    },
    ...{ providers: ['coinmarketcap', 'coinpaprika'], act: { kind: 'times', factor: 1.045 } },
  },
]

const recalls = (detectors: readonly FlagKind[]): Record<string, number> => {
  const result = score({
    seed: 6,
    days,
    withFaults: false,
    faults,
    parameters: { ...judgeDefaults, detectors },
  })
  expect(result.falseAlarms).toEqual([])
  return Object.fromEntries(tableOf([result]).map(row => [row.flag, row.recall]))
}

/** Seconds of arithmetic; only a crowded machine needs more. */
const patience = { timeout: 300_000 }

describe('the judge over simulated days', patience, () => {
  it('doubts nobody while everybody tells the truth', () => {
    const result = score({ seed: 5, days: 1.5, withFaults: false })
    expect(result.quotes).toBeGreaterThan(40_000)
    expect(result.falseAlarms).toEqual([])
  })

  it('finds each kind of lie, and no other', () => {
    expect(recalls(flagKinds)).toEqual(Object.fromEntries(flagKinds.map(flag => [flag, 1])))
  })

  it('misses what its detector is switched off for: the measure can fail', () => {
    for (const part of [0, 1]) {
      const on = flagKinds.filter((_, i) => i % 2 === part)
      const found = recalls(on)
      for (const flag of flagKinds) expect([flag, found[flag]]).toEqual([flag, on.includes(flag) ? 1 : 0])
    }
  })
})
