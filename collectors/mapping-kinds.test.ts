import { describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, type EpochMicros, ProviderId } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { refusePayload } from './check.ts'
import { asDayClose, mapHistory } from './mapping-history.ts'
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
      '2 of 3 points could not be read: $[1].price: wanted a decimal number, got null',
    )
    const empty = mapHistory([() => point('1T01:00:00'), () => undefined], context)
    expect(empty.missing[0]?.reason).toBe('1 of 2 points have no price')
  })

  it('has no price of a time with two, and says so; a price that is told twice is one', () => {
    const points = [point('1T00:00:00', '1.5'), point('2T00:00:00', '8'), point('1T00:00:00', '15')]
    for (const all of [points, points.toReversed(), [...points, point('1T00:00:00', '1.5')]]) {
      const { records, missing } = mapHistory(
        all.map(one => () => one),
        context,
      )
      expect(records.map(r => [r.price, r.observedAt])).toEqual([['8', at('2T00:00:00')]])
      expect(missing.map(m => m.reason)).toEqual([
        'two rows with different prices of 2026-10-01T00:00:00.000Z',
      ])
    }
    const same = [point('1T00:00:00', '1.5'), point('1T00:00:00', '1.50')].map(one => () => one)
    expect(mapHistory(same, context)).toMatchObject({ records: [{ price: '1.5' }], missing: [] })
  })

  it('has a reason where nothing is left, and throws where nothing could be read', () => {
    expect(mapHistory([], context).missing[0]?.reason).toBe('no point in the asked range')
    expect(mapHistory([() => point('4T01:00:00')], context).missing).toHaveLength(1)
    expect(() => mapHistory([broken], context)).toThrow('$[1].price')
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
