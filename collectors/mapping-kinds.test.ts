import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, type EpochMicros, ProviderId } from '../core/brands.ts'
import { addMs, DAY, parseIso } from '../core/time.ts'
import { CryptosError } from '../core/errors.ts'
import { refusePayload } from './check.ts'
import { asDayClose, mapHistory as mapSteps, type Point } from './mapping-history.ts'
import { mapMetrics } from './mapping-metrics.ts'
import type { MappingContext } from './provider.ts'

const at = (text: string): EpochMicros => parseIso(`2026-10-0${text}Z`)
const ref = { asset: AssetId('bitcoin'), symbol: 'BTC', sourceId: 'btc' }
const context: MappingContext = {
  ...{ provider: ProviderId('some'), dataset: 'history', origin: 'backfill', runId: 'r', revision: 2 },
  ...{ receivedAt: at('5T00:00:00'), credits: Credits(1), rawRef: 'raw' },
  page: { assets: [ref], currency: 'USD', range: { from: at('1T00:00:00'), to: at('3T00:00:00') } },
}
const point = (text: string, price = '1.50') => ({ observedAt: at(text), price: DecimalString(price) })
const broken = (): never => refusePayload('$[1].price', 'a decimal number', null)

const mapHistory = (reads: readonly (() => Point | undefined)[], own: MappingContext) =>
  mapSteps(reads, own, DAY)

describe('mapHistory', () => {
  it('keeps the points of the asked range, from its start to before its end, each time once', () => {
    const days = ['1T00:00:00', '2T23:59:59.999999', '3T00:00:00', '1T00:00:00']
    const { records, missing } = mapHistory(
      days.map((day, i) => () => point(day, `${i % 3}.5`)),
      context,
    )
    expect(records.map(r => [r.price, r.observedAt])).toEqual([
      ['0.5', at('1T00:00:00')],
      ['1.5', at('2T23:59:59.999999')],
    ])
    expect(records[0]).toMatchObject({
      ...{ kind: 'quote', asset: 'bitcoin', symbol: 'BTC', sourceId: 'btc', currency: 'USD' },
      ...{ observedBy: 'source', origin: 'backfill', revision: 2, credits: 1 },
    })
    expect(missing).toEqual([])
  })

  it('tells what it could not read beside what it could', () => {
    const { records, missing } = mapHistory([() => point('1T01:00:00'), broken, broken], context)
    expect(records).toHaveLength(1)
    expect(missing[0]?.reason).toBe(
      '2 of 3 points could not be read: $[1].price: wanted a decimal number, got null; 2026-10-02: no price',
    )
    const empty = mapHistory([() => point('1T01:00:00'), () => undefined], context)
    expect(empty.missing[0]?.reason).toBe('1 of 2 points have no price; 2026-10-02: no price')
  })

  it('has no price of a time with two, and says so; a price that is told twice is one', () => {
    const points = [point('1T00:00:00', '1.5'), point('2T00:00:00', '8'), point('1T00:00:00', '15')]
    for (const all of [points, points.toReversed(), [...points, point('1T00:00:00', '1.5')]]) {
      const { records, missing } = mapHistory(
        all.map(one => () => one),
        context,
      )
      expect(records.map(r => [r.price, r.observedAt])).toEqual([['8', at('2T00:00:00')]])
      expect(missing.map(m => m.reason)).toEqual(['2026-10-01: two rows with different prices'])
    }
    const same = [point('1T00:00:00', '1.5'), point('1T00:00:00', '1.50')].map(one => () => one)
    const first = {
      ...context,
      page: { ...context.page, range: { from: at('1T00:00:00'), to: at('2T00:00:00') } },
    }
    expect(mapHistory(same, first)).toMatchObject({ records: [{ price: '1.5' }], missing: [] })
  })

  it('has a reason where nothing is left, and throws where nothing could be read', () => {
    expect(mapHistory([], context).missing[0]?.reason).toBe('no point in the asked range')
    expect(mapHistory([() => point('4T01:00:00')], context).missing).toHaveLength(1)
    expect(() => mapHistory([broken], context)).toThrow('$[1].price')
  })

  describe('asked days without a point', () => {
    const reasonOf = (days: readonly string[], from: string, to: string): readonly string[] => {
      const range = { from: at(from), to: at(to) }
      const own = { ...context, receivedAt: at('9T08:00:00'), page: { ...context.page, range } }
      const reads = days.map(day => () => point(`${day}T23:59:59.999999`))
      return mapHistory(reads, own).missing.map(m => m.reason)
    }

    it('are told in one entry, runs of them as one', () => {
      expect(reasonOf(['1', '5'], '1T00:00:00', '6T00:00:00')).toEqual([
        '2026-10-02 to 2026-10-04: not in the answer',
      ])
      expect(reasonOf(['1', '3', '5'], '1T00:00:00', '9T00:00:00')).toEqual([
        '2026-10-02: not in the answer; 2026-10-04: not in the answer; 2026-10-06 to 2026-10-08: not in the answer',
      ])
    })

    it('are told before the first price of a younger asset', () => {
      expect(reasonOf(['4', '5'], '1T00:00:00', '6T00:00:00')).toEqual([
        '2026-10-01 to 2026-10-03: not in the answer, which begins later',
      ])
    })

    it('are those that lie whole in the range and were over when the answer came', () => {
      expect(reasonOf(['2', '3'], '1T12:00:00', '4T12:00:00')).toEqual([])
      expect(reasonOf(['7', '8'], '7T00:00:00', '9T20:00:00')).toEqual([])
      expect(reasonOf(['7'], '7T00:00:00', '9T20:00:00')).toEqual(['2026-10-08: not in the answer'])
    })

    it('are each told, whatever days the answer lacks', () => {
      const all = ['1', '2', '3', '4', '5', '6', '7', '8']
      fc.assert(
        fc.property(fc.subarray(all, { minLength: 1 }), there => {
          const text = reasonOf(there, '1T00:00:00', '9T00:00:00').join()
          const runs = [...text.matchAll(/2026-10-0(\d)(?: to 2026-10-0(\d))?:/g)]
          const told = runs.flatMap(([, from, to]) => all.filter(d => d >= `${from}` && d <= `${to ?? from}`))
          expect(told).toEqual(all.filter(day => !there.includes(day)))
        }),
      )
    })

    it('are counted where there are too many runs to name', () => {
      const own = { ...context, receivedAt: parseIso('2026-12-01T00:00:00Z') }
      const range = { from: parseIso('2026-01-01T00:00:00Z'), to: parseIso('2026-04-11T00:00:00Z') }
      const days = Array.from({ length: 50 }, (_, n) => addMs(range.from, 2 * n * DAY))
      const reads = days.map(observedAt => () => ({ ...point('1T00:00:00'), observedAt }))
      const { missing } = mapHistory(reads, { ...own, page: { ...own.page, range } })
      expect(missing[0]?.reason).toMatch(
        /^2026-01-02: not in the answer; .*2026-01-20: not in the answer; and 40 more$/,
      )
    })
  })

  it('tells a time that has no price by its reason, and throws its error where nothing else could be read', () => {
    const none = { observedAt: at('1T00:00:00'), none: 'the day was not over' }
    const reads = [() => none, () => point('2T00:00:00')]
    expect(mapSteps(reads, context, DAY)).toMatchObject({
      records: [{ price: '1.50' }],
      missing: [{ reason: '2026-10-01: the day was not over' }],
    })
    expect(mapSteps([() => none, () => point('1T00:00:00')], context, DAY).records).toEqual([])
    const error = new CryptosError('CRY_PROVIDER_PAYLOAD', '$[0]: wrong')
    expect(() => mapSteps([() => ({ ...none, error })], context, DAY)).toThrow('$[0]: wrong')
  })

  it('wants exactly one asset', () => {
    for (const assets of [[], [ref, { ...ref, sourceId: 'eth' }]])
      expect(() => mapHistory([], { ...context, page: { assets, currency: 'USD' } })).toThrow(/which asset/)
  })

  it('lets a price at midnight close the day before', () => {
    expect(asDayClose(at('2T00:00:00'))).toBe(at('1T23:59:59.999999'))
    expect(asDayClose(at('2T00:00:00.000001'))).toBe(at('2T00:00:00.000001'))
  })
})

describe('mapMetrics', () => {
  it('makes a record of each figure that is there', () => {
    const figures = [
      { name: 'total-market-cap', currency: 'USD', value: DecimalString('3.10e12') },
      { name: 'assets', value: DecimalString('12000') },
      { name: 'exchanges', value: undefined },
    ] as const
    const mapped = mapMetrics(figures, { path: '$', observedAt: at('1T00:00:00') }, context)
    expect(mapped.metrics?.map(m => [m.name, m.currency, m.value, m.observedBy, m.observedAt])).toEqual([
      ['total-market-cap', 'USD', '3.10e12', 'source', at('1T00:00:00')],
      ['assets', undefined, '12000', 'source', at('1T00:00:00')],
    ])
    expect([mapped.records, mapped.missing]).toEqual([[], []])
    const [first] = mapMetrics(figures, { path: '$', observedAt: undefined }, context).metrics ?? []
    expect(first).toMatchObject({ observedBy: 'receiver', observedAt: context.receivedAt, revision: 2 })
  })

  it('throws where there is none', () => {
    const none = [{ name: 'assets', value: undefined }] as const
    expect(() => mapMetrics(none, { path: '$.data', observedAt: undefined }, context)).toThrow(
      '$.data: wanted figures of the market, got nothing',
    )
  })
})
