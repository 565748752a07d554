import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../../core/brands.ts'
import { DAY, HOUR } from '../../core/time.ts'
import { addMs } from '../../core/time.ts'
import { consensusIn, flagsOf, gapOf, minute, noon, quoteOf, quotesIn, servingIn } from './judge.contract.ts'
import { Judge } from './judge.ts'
import { judgeDefaults } from './defaults.ts'

const Exact = Decimal.clone({ precision: 60 })
const order = {
  ...judgeDefaults,
  spot: { ...judgeDefaults.spot, sources: ['kraken', 'coinbase', 'mempool'] },
}

describe('consensus', () => {
  it('is the exact median with deviation, spread, age and every source', () => {
    const judge = new Judge()
    judge.observe(quoteOf('kraken', '84000.10', minute(0)))
    judge.observe(quoteOf('coinbase', '84000.30', addMs(noon, 30_000)))
    judge.observe(quoteOf('mempool', '84100', addMs(noon, -20 * 60_000)))
    const [c] = consensusIn(judge.minute(minute(1)))
    expect(c).toMatchObject({ price: '84000.2', mad: '0.1', spreadPercent: '0.000238', isDivergent: false })
    expect(c?.sources.map(s => [s.provider, s.ageMs, s.excluded])).toEqual([
      ['coinbase', 30_000, null],
      ['kraken', 60_000, null],
      ['mempool', 1_260_000, 'too old: 21 min, at most 15 min'],
    ])
  })

  it('comes as a row of its own whose identity is the minute, and hears itself never', () => {
    const judge = new Judge()
    judge.observe(quoteOf('kraken', '84000.10', minute(0)))
    const row = quotesIn(judge.minute(minute(1), addMs(minute(1), 3_000)))[0]!
    expect(row).toMatchObject({
      ...{ provider: 'consensus', sourceId: 'median', price: '84000.1', observedAt: minute(1), credits: 0 },
      ...{
        rawRef: `consensus|bitcoin|USD|${minute(1)}`,
        receivedAt: addMs(minute(1), 3_000),
        origin: 'live',
      },
    })
    expect(judge.observe(row)).toEqual([])
    expect(consensusIn(judge.minute(minute(2)))[0]?.sources).toHaveLength(1)
  })

  it('keeps sandbox and live apart, and knows nothing of backfill, replay and daily closes', () => {
    const judge = new Judge(order)
    judge.observe(quoteOf('kraken', '1', minute(0), { origin: 'sandbox' }))
    judge.observe(quoteOf('coinbase', '84000', minute(0)))
    judge.observe(quoteOf('mempool', '2', minute(0), { origin: 'backfill' }))
    judge.observe(quoteOf('bitstamp', '3', minute(0), { origin: 'replay' }))
    const close = EpochMicros(Math.floor(noon / (DAY * 1_000)) * DAY * 1_000 - 1)
    judge.observe(quoteOf('coindesk', '4', close, { receivedAt: noon }))
    const outputs = judge.minute(minute(1))
    expect(consensusIn(outputs).map(c => [c.origin, c.price, c.sources.length])).toEqual([
      ['sandbox', '1', 1],
      ['live', '84000', 1],
    ])
    expect(servingIn(outputs).map(s => [s.origin, s.provider])).toEqual([
      ['sandbox', 'kraken'],
      ['live', 'coinbase'],
    ])
  })

  it('tells no price where fewer sources count than are asked for', () => {
    const judge = new Judge({ ...judgeDefaults, consensus: { ...judgeDefaults.consensus, minSources: 2 } })
    judge.observe(quoteOf('kraken', '84000', minute(0)))
    expect(consensusIn(judge.minute(minute(1)))).toEqual([])
    judge.observe(quoteOf('coinbase', '84010', minute(1)))
    expect(consensusIn(judge.minute(minute(1)))[0]?.price).toBe('84005')
  })

  it('is the median of decimals, whatever their digits', () => {
    const digits = fc.tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.integer({ min: 0, max: 18 }))
    const prices = fc.array(
      digits.map(([n, e]) => new Exact(n).div(new Exact(10).pow(e)).toFixed()),
      {
        ...{ minLength: 1, maxLength: 7 },
      },
    )
    fc.assert(
      fc.property(prices, list => {
        const consensus = { ...judgeDefaults.consensus, partedPercent: Number.POSITIVE_INFINITY }
        const judge = new Judge({ ...judgeDefaults, detectors: [], consensus })
        for (const [i, price] of list.entries()) judge.observe(quoteOf(`p${i}`, price, minute(0)))
        const sorted = list.map(p => new Exact(p)).sort((a, b) => a.comparedTo(b))
        const low = sorted[(sorted.length - 1) >> 1]!
        const wanted = low.plus(sorted[sorted.length >> 1]!).div(2)
        const [c] = consensusIn(judge.minute(minute(1)))
        expect(new Exact(c!.price).equals(wanted)).toBe(true)
        expect(c!.sources).toHaveLength(list.length)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a price that can not be', () => {
  it.each(['0', '0.00', '-1', '1e-308', '9e308'])('%s is never observed', price => {
    const judge = new Judge()
    judge.observe(quoteOf('kraken', price, minute(0)))
    expect(judge.minute(minute(1))).toEqual([])
    judge.observe(quoteOf('kraken', '84000', minute(1)))
    judge.observe(quoteOf('kraken', price, minute(2)))
    expect(consensusIn(judge.minute(minute(3)))[0]?.price).toBe('84000')
  })

  it('ends no minute, whatever the digits', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?(e[+-]?([1-9]\d?|[12]\d\d|30[0-8]))?$/)
    fc.assert(
      fc.property(fc.array(digits, { minLength: 1, maxLength: 4 }), list => {
        const consensus = { ...judgeDefaults.consensus, partedPercent: Number.POSITIVE_INFINITY }
        const judge = new Judge({ ...judgeDefaults, detectors: [], consensus })
        for (const [i, price] of list.entries()) judge.observe(quoteOf(`p${i}`, price, minute(0)))
        expect(() => judge.minute(minute(1))).not.toThrow()
      }),
      { numRuns: 300 },
    )
  })

  it('and what else one price throws holds up no other', () => {
    let calls = 0
    const judge = new Judge({
      ...judgeDefaults,
      spot: {
        ...judgeDefaults.spot,
        get sources(): readonly string[] {
          calls += 1
          if (calls === 1) throw new Error('a defect')
          return []
        },
      },
    })
    judge.observe(quoteOf('kraken', '84000', minute(0)))
    judge.observe(quoteOf('kraken', '2760', minute(0), { asset: AssetId('ethereum') }))
    const errors: unknown[] = []
    const told = judge.minute(minute(1), minute(1), error => errors.push(error))
    expect(servingIn(told).map(s => [s.asset, s.price])).toEqual([['ethereum', '2760']])
    expect(errors).toHaveLength(1)
  })
})

describe('doubts', () => {
  it('are the same, once, when records come twice', () => {
    const lines = (twice: boolean): string[] => {
      const judge = new Judge()
      const told: string[] = []
      for (let n = 0; n < 30; n += 1)
        for (const [i, p] of ['a', 'b', 'c', 'd'].entries()) {
          const bad = p === 'd' && n > 20 && n < 25
          const quote = quoteOf(p, `${(bad ? 90_000 : 84_000) + n + i}.5`, minute(n))
          for (let k = 0; k < (twice ? 2 : 1); k += 1)
            told.push(...judge.observe(quote).map(f => JSON.stringify(f)))
        }
      return [...told, ...judge.minute(minute(30)).map(o => JSON.stringify(o))]
    }
    expect(lines(false).filter(l => l.includes('"outlier"'))).toHaveLength(4)
    expect(lines(true)).toEqual(lines(false))
  })

  it('stand by nobody where all jump at once, or the sources are half against half', () => {
    const judge = new Judge()
    const providers = ['a', 'b', 'c', 'd']
    for (let n = 0; n < 10; n += 1)
      for (const p of providers) judge.observe(quoteOf(p, `${84_000 + n}`, minute(n)))
    const moved = providers.map((p, i) => judge.observe(quoteOf(p, i < 2 ? '84011' : '88011', minute(10))))
    const settled = providers.map((p, i) => judge.observe(quoteOf(p, i < 2 ? '84012' : '88012', minute(11))))
    expect(moved.flat().map(f => f.provider)).toEqual(['c'])
    expect(settled.flat()).toEqual([])
    for (let n = 12; n < 20; n += 1)
      for (const [i, p] of providers.entries())
        judge.observe(quoteOf(p, `${(i < 2 ? 84_000 : 88_000) + n}`, minute(n)))
    const events = [20, 21, 22, 23, 24].flatMap(n => judge.minute(minute(n)))
    expect(consensusIn(events).every(c => c.isDivergent)).toBe(true)
    expect(events.filter(o => o.kind === 'source-flag')).toMatchObject([
      { provider: 'consensus', flag: 'divergence', since: minute(20), observedAt: minute(24) },
    ])
  })

  it('name the end of CoinDesk: dollars under the label of pounds, then one value while the clock goes on', () => {
    const judge = new Judge()
    const told = new Map<string, number>()
    const note = (n: number, quote: ReturnType<typeof quoteOf>): void => {
      for (const f of judge.observe(quote)) {
        const key = `${f.provider} ${f.currency} ${f.flag}`
        if (n >= mended) late += 1
        if (!told.has(key)) told.set(key, n)
      }
    }
    const mislabelled = 1_440
    const frozen = 2_160
    const mended = 3_720
    let late = 0
    for (let n = 0; n < mended + 10; n += 1) {
      const dollars = 97_000 + 600 * Math.sin(n / 97) + (n % 7)
      const own = n >= frozen && n < mended ? 97_376.5 : dollars
      const pounds = n >= mislabelled && n < mended ? own : own * 0.8
      for (const [i, p] of ['kraken', 'coinbase'].entries())
        note(n, quoteOf(p, (dollars + i).toFixed(2), minute(n)))
      note(n, quoteOf('coindesk', own.toFixed(4), minute(n)))
      note(n, quoteOf('coindesk', pounds.toFixed(4), minute(n), { currency: 'GBP' }))
    }
    expect([...told.keys()].sort()).toEqual([
      'coindesk GBP frozen-value',
      'coindesk GBP silent-deprecation',
      'coindesk GBP wrong-currency',
      'coindesk USD frozen-value',
      'coindesk USD silent-deprecation',
    ])
    expect(told.get('coindesk GBP wrong-currency')! - mislabelled).toBeLessThanOrEqual(3)
    expect(told.get('coindesk USD frozen-value')! - frozen).toBeLessThanOrEqual(240)
    // When it is mended no good row is doubted, and three of them are enough.
    expect(late).toBe(0)
    const sources = consensusIn(judge.minute(minute(mended + 3), minute(mended + 9))).flatMap(c => c.sources)
    expect(sources.map(s => s.excluded)).toEqual([null, null, null, null])
  })

  it('of a frozen value outlast a pause of ours, and end with the digits', () => {
    const judge = new Judge()
    const at = (n: number, own: string): string[] => {
      for (const [i, p] of ['a', 'b'].entries())
        judge.observe(quoteOf(p, (84_000 + 500 * Math.sin(n / 60) + i).toFixed(2), minute(n)))
      return flagsOf(judge.observe(quoteOf('kraken', own, minute(n))))
    }
    const span = (from: number, to: number, own: (n: number) => string): string[] =>
      Array.from({ length: to - from }, (_, i) => at(from + i, own(from + i)).join())
    const honest = (n: number): string => (84_000 + 500 * Math.sin(n / 60)).toFixed(2)
    span(0, 480, honest)
    expect(span(480, 720, () => '84444.4').at(-1)).toBe('frozen-value')
    // Nobody asked for two hours.
    expect(new Set(span(840, 850, () => '84444.4'))).toEqual(new Set(['frozen-value']))
    expect(new Set(span(850, 860, honest))).toEqual(new Set(['']))
    expect(judge.minute(minute(860)).find(o => o.kind === 'consensus')?.sources[2]?.excluded).toBeNull()
  })

  it('come from gaps: gone from answers, or another shape, after enough of them, never for a series that had no value', () => {
    const judge = new Judge()
    expect(judge.observeGap(gapOf('kraken', minute(0)))).toEqual([])
    judge.observe(quoteOf('kraken', '84000', minute(0)))
    const gone = [1, 2, 3, 4, 5, 6].map(n => flagsOf(judge.observeGap(gapOf('kraken', minute(n)))).join())
    expect(gone).toEqual(['', '', '', '', 'silent-deprecation', 'silent-deprecation'])
    judge.observe(quoteOf('coinbase', '84000', minute(0)))
    const reason = '$.price: wanted a decimal number, got null'
    const shape = [1, 1, 2, 3].map(n =>
      flagsOf(judge.observeGap(gapOf('coinbase', minute(n), { reason }))).join(),
    )
    expect(shape).toEqual(['', '', '', 'changed-json'])
    const outage = [1, 2, 3, 4, 5, 6, 7].map(n =>
      judge.observeGap(gapOf('coinbase', minute(n + 9), { state: 'failed' })),
    )
    expect(outage.flat()).toEqual([])
  })

  it('are none of what a backfill brought, whatever its origin', () => {
    const judge = new Judge({ ...judgeDefaults, histories: ['coinpaprika/history'] })
    const old = (rawRef: string) => ({ ...quoteOf('coinpaprika', '29000', addMs(noon, -90 * DAY)), rawRef })
    const late = { receivedAt: minute(1) }
    expect(judge.observe({ ...old('coinpaprika/history/2026-08-23T00:00:00.000Z/0.ab#1'), ...late })).toEqual(
      [],
    )
    expect(judge.minute(minute(2))).toEqual([])
    judge.observe({ ...old('coinpaprika/quotes/2026-11-21T12:00:00.000Z/0.ab#1'), ...late })
    expect(judge.minute(minute(3))).not.toEqual([])
  })

  it('forget what nobody heard of', () => {
    const judge = new Judge()
    judge.observe(quoteOf('kraken', '84000', minute(0)))
    expect(judge.minute(addMs(noon, 47 * HOUR))).toHaveLength(1)
    expect(judge.minute(addMs(noon, 49 * HOUR))).toEqual([])
  })
})
