import { describe, expect, it } from 'vitest'
import { consensusIn, flagsOf, minute, quoteOf, servingIn } from './judge.contract.ts'
import { judgeDefaults } from './defaults.ts'
import { Judge } from './judge.ts'

const newJudge = (): Judge =>
  new Judge({ ...judgeDefaults, spot: { ...judgeDefaults.spot, sources: ['a', 'b', 'c'] } })
const near = (n: number): string => (100.6 + (n % 7) / 100).toFixed(2)

/** Each source by its prices, from minute to minute; the flags that were raised. */
function feed(
  judge: Judge,
  from: number,
  to: number,
  priceOf: Record<string, (n: number) => string>,
): string[] {
  const told: string[] = []
  for (let n = from; n < to; n += 1) {
    for (const [p, price] of Object.entries(priceOf))
      told.push(...flagsOf(judge.observe(quoteOf(p, price(n), minute(n)))).map(flag => `${p} ${flag}`))
    judge.minute(minute(n + 1))
  }
  return told
}
const priceAt = (judge: Judge, n: number): (string | null | undefined)[] => {
  const outputs = judge.minute(minute(n))
  return [consensusIn(outputs)[0]?.price, servingIn(outputs)[0]?.price]
}

describe('two sources', () => {
  it.each([
    ['100500', 'unit-jump', 1_000],
    ['131.5', 'outlier', 1.3],
  ])('a newcomer at %s beside one that is known is doubted as %s until it is near', (far, flag) => {
    const judge = newJudge()
    feed(judge, 0, 60, { b: near })
    expect(new Set(feed(judge, 60, 70, { b: near, a: n => `${far}${n % 2}` }))).toEqual(
      new Set([`a ${flag}`]),
    )
    expect(priceAt(judge, 70)).toEqual([near(69), near(69)])
    expect(feed(judge, 70, 73, { b: near, a: near })).toEqual([])
    expect(servingIn(judge.minute(minute(73)))[0]?.provider).toBe('a')
  })

  it.each([
    ['unit-jump', 1_000],
    ['outlier', 1.3],
  ])('a third source decides between them: %s', (flag, factor) => {
    const judge = newJudge()
    const high = (n: number): string => (factor * Number(near(n))).toFixed(3).replace(/0*$/, '5')
    feed(judge, 0, 60, { b: near })
    feed(judge, 60, 70, { b: near, a: high })
    const told = feed(judge, 70, 80, { b: near, c: high, a: high })
    expect(new Set(told)).toEqual(new Set([`b ${flag}`]))
    expect(priceAt(judge, 80)).toEqual([high(79), high(79)])
    const other = newJudge()
    feed(other, 0, 60, { b: near })
    feed(other, 60, 70, { b: near, a: high })
    expect(new Set(feed(other, 70, 80, { b: near, c: near, a: high }))).toEqual(new Set([`a ${flag}`]))
    expect(priceAt(other, 80)).toEqual([near(79), near(79)])
  })

  it('that are known and part have no consensus, and neither serves, until they agree again', () => {
    const judge = newJudge()
    feed(judge, 0, 60, { a: near, b: near })
    feed(judge, 60, 61, { a: () => '131', b: near })
    const outputs = judge.minute(minute(61))
    expect(consensusIn(outputs)).toEqual([])
    const why = `insane: a 131 and b ${near(60)} lie 26.2 % apart, and no third source decides`
    expect(servingIn(outputs)[0]).toMatchObject({
      provider: null,
      skipped: [{ provider: 'a', why }, { provider: 'b', why }, { provider: 'c' }],
    })
    for (let n = 61; n < 65; n += 1) feed(judge, n, n + 1, { a: () => `131.${n}`, b: near })
    expect(judge.minute(minute(65)).filter(o => o.kind === 'source-flag')).toMatchObject([
      { flag: 'divergence', since: minute(61) },
    ])
    feed(judge, 65, 66, { a: near, b: near })
    expect(priceAt(judge, 66)).toEqual([near(65), near(65)])
  })

  it('that part from the first minute on have none', () => {
    const judge = newJudge()
    feed(judge, 0, 1, { a: () => '131', b: near })
    expect(priceAt(judge, 1)).toEqual([undefined, null])
  })

  it('are not parted by a market that falls 15 % in an hour while one of them is ten minutes old', () => {
    const judge = newJudge()
    const falling = (n: number): string => (100 * (1 - 0.0025 * Math.max(0, n - 60))).toFixed(3)
    const told = feed(judge, 0, 120, { a: falling, b: n => falling(n - (n % 10)) })
    expect(told).toEqual([])
    for (let n = 60; n < 120; n += 1) expect(Number(falling(n))).toBeGreaterThan(80)
    expect(priceAt(judge, 120)[0]).toBeDefined()
  })
})
