import { describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../../core/time.ts'
import { addMs } from '../../core/time.ts'
import { judgeDefaults } from './defaults.ts'
import { consensusIn, flagsOf, gapOf, minute, noon, quoteOf, servingIn } from './judge.contract.ts'
import { Judge } from './judge.ts'

const parameters = {
  ...judgeDefaults,
  spot: { ...judgeDefaults.spot, sources: ['kraken', 'coinbase'] },
}
const ahead = addMs(noon, 40 * DAY)

describe('a value from the future', () => {
  it('that came while our clock was ahead is neither counted nor served, and hides nothing that comes after', () => {
    const judge = new Judge(parameters)
    for (const p of ['kraken', 'coinbase']) judge.observe(quoteOf(p, '101', ahead), ahead)
    const [before] = servingIn(judge.minute(minute(0), minute(0)))
    expect(consensusIn(judge.minute(minute(0), minute(0)))).toEqual([])
    const why = 'insane: clock ahead: received 40 d after now'
    expect(before).toMatchObject({
      provider: null,
      skipped: [
        { provider: 'kraken', why },
        { provider: 'coinbase', why },
      ],
    })
    for (let n = 1; n < 5; n += 1) {
      const flags = ['kraken', 'coinbase'].map(p =>
        judge.observe(quoteOf(p, `${200 + n}`, minute(n)), minute(n)),
      )
      expect(flags.flatMap(flagsOf)).toEqual([])
      const outputs = judge.minute(minute(n), minute(n))
      expect([consensusIn(outputs)[0]?.price, servingIn(outputs)[0]?.price]).toEqual([
        `${200 + n}`,
        `${200 + n}`,
      ])
    }
  })

  it('excludes its source alone from the consensus, with the reason', () => {
    const judge = new Judge(parameters)
    judge.observe(quoteOf('kraken', '101', addMs(noon, HOUR)), addMs(noon, HOUR))
    judge.observe(quoteOf('coinbase', '201', minute(0)), minute(0))
    const [c] = consensusIn(judge.minute(minute(1), minute(1)))
    expect(c?.price).toBe('201')
    expect(c?.sources.map(s => s.excluded)).toEqual([null, 'clock ahead: received 59 min after now'])
  })

  it('does not take the place of a good one, be it our clock or that of the source', () => {
    const judge = new Judge(parameters)
    judge.observe(quoteOf('kraken', '201', minute(0)), minute(0))
    judge.observe(quoteOf('kraken', '1', ahead), minute(1))
    judge.observe(quoteOf('kraken', '2', ahead, { receivedAt: minute(2) }), minute(2))
    expect(servingIn(judge.minute(minute(2), minute(2)))[0]?.price).toBe('201')
    expect(servingIn(judge.minute(minute(8), minute(8)))[0]?.skipped[0]?.why).toBe(
      'dead: no value for 8 min; clock ahead: observed 40 d after now',
    )
    judge.observe(quoteOf('kraken', '202', minute(9)), minute(9))
    expect(servingIn(judge.minute(minute(9), minute(9)))[0]?.price).toBe('202')
  })

  it('of a few minutes is what clocks may differ', () => {
    const judge = new Judge(parameters)
    judge.observe(quoteOf('kraken', '201', minute(5)), minute(0))
    expect(servingIn(judge.minute(minute(0), minute(0)))[0]?.price).toBe('201')
  })
})

describe('a price that the quota denies', () => {
  const denied = (n: number) =>
    gapOf('kraken', minute(n), { state: 'denied', reason: 'the month is used up' })
  const whys = (judge: Judge, n: number): string[] =>
    servingIn(judge.minute(minute(n), minute(n))).flatMap(s => s.skipped.map(x => x.why))

  it('keeps its reason without a value, also after its values are forgotten, until one comes', () => {
    const judge = new Judge(parameters)
    const why = 'denied since 2026-11-21T12:01:00.000Z: the month is used up'
    judge.observe(quoteOf('kraken', '201', minute(0)))
    for (let n = 1; n <= 3_000; n += 1) {
      judge.observeGap(denied(n))
      judge.observe(quoteOf('coinbase', `${200 + (n % 7)}`, minute(n)))
      if (n % 500 === 0) expect(whys(judge, n)).toEqual([why])
    }
    judge.observe(quoteOf('kraken', '203', minute(3_001)))
    expect(whys(judge, 3_001)).toEqual([])
  })

  it('has it after a restart with no value in memory, and loses it when nobody says so any more', () => {
    const judge = new Judge(parameters)
    for (const n of [1, 2]) judge.observeGap(denied(n))
    judge.observe(quoteOf('coinbase', '200', minute(2)))
    expect(whys(judge, 3)).toEqual(['denied since 2026-11-21T12:01:00.000Z: the month is used up'])
    for (let n = 10; n <= 2_890; n += 10) judge.observe(quoteOf('coinbase', `${200 + (n % 7)}`, minute(n)))
    expect(whys(judge, 2_890)).toEqual(['never had a value'])
  })
})
