import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** The page's own modules that need no browser. They are plain JavaScript: imported by address. */
const part = (name: string) => import(new URL(`./public/${name}`, import.meta.url).href)
const { percentChange } = await part('format.js')
const { ChartData, loneOf } = await part('chart-data.js')
const { Model } = await part('model.js')
const { findRange, spanWords } = await part('ranges.js')
const { sliderValues, stopAfter, stopsOf } = await part('chart-cursor.js')
const { airAround } = await part('chart-axes.js')
const { extentOf, rangeText } = await part('chart-text.js')

const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
/** A history of one provider's buckets, each of them open, high, low, close by its start in seconds. */
const historyOf = (
  stepMs: number,
  to: number,
  ...buckets: [provider: string, start: number, prices: string, count?: number][]
) => ({
  stepMs,
  to: iso(to),
  points: buckets.map(([provider, start, prices, count = 2]) => {
    const [open, high, low, close] = prices.split(' ')
    return {
      provider,
      time: iso(start),
      open,
      high: high ?? open,
      low: low ?? open,
      close: close ?? open,
      count,
    }
  }),
})

describe('chart data', () => {
  it('aligns providers: undefined at the times of others, null in a hole', () => {
    const data = new ChartData(
      historyOf(
        0,
        1000,
        ...[0, 10, 20, 30, 500, 510].map((s): [string, number, string] => ['a', s, String(s)]),
        ['b', 15, '7'],
      ),
    )
    const { times, columns } = data.columns(['a', 'b'])
    expect(times).toEqual([0, 10, 15, 20, 30, 40, 500, 510])
    expect(columns[0]).toEqual([0, 10, undefined, 20, 30, null, 500, 510])
    const u = undefined
    expect(columns[1]).toEqual([u, u, 7, u, u, u, u, u])
  })

  it('draws a close at the end of its bucket, of the running one when it was observed', () => {
    const buckets: [string, number, string][] = [
      ['a', 60, '1 3 1 2'],
      ['a', 120, '2 4 2 3'],
      ['b', 120, '9'],
    ]
    const data = new ChartData(historyOf(60_000, 150, ...buckets), new Map([['a', 140_000]]))
    const times = (provider: string) => data.series.get(provider).map((p: { time: number }) => p.time / 1000)
    expect(times('a')).toEqual([120, 140])
    expect(times('b')).toEqual([150])
    data.add('a', 145_000, '5', 60_000)
    expect(times('a')).toEqual([120, 145])
  })

  it('knows a price again that the history had before the stream', () => {
    const data = new ChartData(historyOf(60_000, 110, ['a', 60, '5', 1]))
    data.add('a', 105_000, '5', 5_000)
    expect(data.series.get('a')).toMatchObject([{ start: 60_000, time: 105_000, count: 1 }])
    expect(data.summary('a')).toMatchObject({ isOne: true })
    data.add('a', 106_000, '6', 1_000)
    expect(data.series.get('a')).toMatchObject([{ close: '5' }, { start: 106_000, open: '6' }])
    const known = new ChartData(historyOf(60_000, 110, ['a', 60, '5', 1]), new Map([['a', 105_000]]))
    known.add('a', 105_000, '5', 5_000)
    expect(known.summary('a')).toMatchObject({ isOne: true })
    const early = new ChartData(historyOf(60_000, 110, ['a', 60, '5', 1]))
    early.add('a', 70_000, '6', 5_000)
    expect(early.series.get('a')).toMatchObject([{ time: 70_000, high: '6', close: '6', count: 2 }])
  })

  it('draws the only price of a bucket in its middle', () => {
    const data = new ChartData(
      historyOf(60_000, 300, ['a', 60, '1', 1], ['a', 120, '2', 1], ['a', 180, '3', 2]),
    )
    expect(data.series.get('a').map((p: { time: number }) => p.time / 1000)).toEqual([90, 150, 240])
  })

  it('begins with the first open, which the change is told from', () => {
    const data = new ChartData(
      historyOf(60_000, 240, ['a', 60, '1 3 1 2'], ['a', 120, '2 4 2 3'], ['b', 120, '9', 1]),
    )
    expect(data.columns(['a']).columns).toEqual([[1, 2, 3]])
    expect(data.at('a', 70_000)).toMatchObject({ close: '1' })
    expect(data.at('a', 59_000)).toBeUndefined()
    expect([data.begin('a'), data.begin('b'), data.begin('c')]).toEqual([60_000, 150_000, undefined])
  })

  it('grows the newest bucket, opens the next, and leaves an older and a second same price out', () => {
    const data = new ChartData(historyOf(60_000, 61, ['a', 60, '10 10 10 10', 1]), new Map([['a', 60_500]]))
    expect(data.summary('a')).toMatchObject({ isOne: true })
    data.add('a', 60_500, '10', 60_000)
    expect(data.summary('a')).toMatchObject({ isOne: true })
    data.add('a', 61_000, '12', 60_000)
    data.add('a', 62_000, '9', 60_000)
    data.add('a', 59_000, '99', 60_000)
    data.add('a', 121_000, '11', 60_000)
    expect(data.series.get('a')).toMatchObject([
      { start: 60_000, time: 62_000, open: '10', high: '12', low: '9', close: '9', count: 3 },
      { start: 120_000, time: 121_000, open: '11', high: '11', low: '11', close: '11', count: 1 },
    ])
    expect(data.summary('a')).toMatchObject({ open: '10', last: '11', high: '12', low: '9', isOne: false })
    data.prune(100_000)
    expect(data.series.get('a')).toHaveLength(1)
    data.prune(1e9)
    expect(data.series.get('a')).toHaveLength(0)
    expect(data.summary('a')).toBeUndefined()
  })

  it('changes from the first open to the last close, the same in every range over the same prices', () => {
    const minutes = new ChartData(
      historyOf(60_000, 240, ['a', 60, '100 103 99 101'], ['a', 120, '101 102 100 102']),
    )
    const oneHour = new ChartData(historyOf(3_600_000, 240, ['a', 0, '100 103 99 102']))
    for (const data of [minutes, oneHour]) {
      const { open, last, isOne } = data.summary('a')
      expect([percentChange(open, last, 2), isOne]).toEqual(['2.00', false])
    }
  })

  it('never makes a hole of loaded minutes beside live seconds', () => {
    const minutes = [60, 120, 180].map((s): [string, number, string] => ['a', s, '1'])
    const data = new ChartData(historyOf(60_000, 240, ...minutes), new Map([['a', 240_000]]))
    for (let s = 241; s < 300; s += 1) data.add('a', s * 1000, '2', 1000)
    expect(data.columns(['a']).columns[0]).not.toContain(null)
  })

  it('finds the points that no line reaches', () => {
    const u = undefined
    expect(loneOf([1])).toEqual([0])
    expect(loneOf([u, 5, u])).toEqual([1])
    expect(loneOf([1, u, 2, null, u, 3, null, 4, 5])).toEqual([5])
    expect(loneOf([1, u, 2])).toEqual([])
  })
})

describe('the time that is shown', () => {
  const now = new Date(2026, 10, 21, 14, 20).getTime()
  const span = (minutesAgo: number, slackMs = 60_000) => ({ start: now - minutesAgo * 60_000, slackMs })

  it('is said as the range where prices fill it, and as their begin where they are younger', () => {
    expect(spanWords(findRange('1h'), [span(60)], now)).toBe('in the last hour')
    expect(spanWords(findRange('1h'), [span(59.5)], now)).toBe('in the last hour')
    expect(spanWords(findRange('1h'), [span(7)], now)).toBe('since 14:13')
    expect(spanWords(findRange('7d'), [span(7), span(2)], now)).toBe('since 14:13')
    expect(spanWords(findRange('all'), [span(7)], now)).toBe('since 14:13')
    expect(spanWords(findRange('7d'), [span(48 * 60)], now)).toBe('since 19 Nov, 14:20')
    expect(spanWords(findRange('6h'), [], now)).toBe('in the last 6 hours')
  })

  it('lies with all its prices inside the axis', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (low, part) => {
          const high = low * (1 + part)
          const [bottom, top] = airAround(low, high)
          expect(bottom < low && top > high).toBe(true)
        },
      ),
    )
    const data = new ChartData(
      historyOf(60_000, 240, ['a', 60, '5 9 2 5'], ['a', 120, '5 6 4 5'], ['b', 60, '7 12 7 7']),
    )
    const view = { data, providers: ['a'], currency: 'USD', decimals: 2, span: 'in the last hour' }
    expect(extentOf(view)).toEqual([2, 9])
    expect(rangeText(view)).toBe('Lowest 2.00  ·  highest 9.00 USD in the last hour')
    expect(airAround(Number.NaN, Number.NaN)).toEqual([0, 1])
  })
})

describe('the chart as a slider', () => {
  it('stops at points only, not at holes, nor where nobody sees it', () => {
    const u = undefined
    const columns = [
      [1, u, null, 2],
      [u, 5, u, u],
    ]
    expect(stopsOf([1, 2, 3, 4], columns, 0)).toEqual([0, 1, 3])
    expect(stopsOf([1, 2, 3, 4], columns, 2)).toEqual([1, 3])
  })

  it('goes where the key says, within its points', () => {
    const to = (key: string, now: number, shiftKey = false) => stopAfter({ key, shiftKey }, now, 30)
    expect([to('ArrowLeft', -1), to('ArrowLeft', 5), to('ArrowRight', 29), to('ArrowLeft', 3, true)]).toEqual(
      [29, 4, 29, 0],
    )
    expect([to('Home', 9), to('End', 9), to('PageUp', 9), to('PageDown', 9), to('a', 9)]).toEqual([
      0,
      29,
      19,
      0,
      undefined,
    ])
    expect(stopAfter({ key: 'Home', shiftKey: false }, -1, 0)).toBeUndefined()
  })

  it('has a value between its ends, and words', () => {
    expect(sliderValues(-1, 0, '')).toMatchObject({
      'aria-valuemax': '0',
      'aria-valuenow': '0',
      'aria-valuetext': 'no prices yet',
    })
    expect(sliderValues(-1, 7, 'Lowest 1')).toMatchObject({
      'aria-valuemin': '1',
      'aria-valuenow': '7',
      'aria-valuetext': 'Lowest 1',
    })
    expect(sliderValues(2, 7, 'kraken 1')).toEqual({
      'aria-valuemin': '1',
      'aria-valuemax': '7',
      'aria-valuenow': '3',
      'aria-valuetext': 'kraken 1, point 3 of 7',
    })
  })
})

describe('model', () => {
  const live = (provider: string, price: string, seconds: number) => ({
    asset: 'bitcoin',
    symbol: 'BTC',
    name: 'Bitcoin',
    currency: 'USD',
    provider,
    price,
    observedAt: iso(seconds),
    receivedAt: '',
    origin: 'live',
  })
  const key = 'bitcoin USD'

  it('keeps the newest price by its own time, in whatever order they come', () => {
    const model = new Model()
    model.apply(live('kraken', '2', 20))
    model.apply(live('kraken', '1', 10))
    expect(model.prices(key).map((p: { price: string }) => p.price)).toEqual(['2'])
  })

  it('lets the first provider lead, whoever is newest, until it falls behind, and then not again', () => {
    const model = new Model()
    model.know({ assets: [], providers: ['coinbase', 'kraken'] })
    model.apply(live('kraken', '2', 20))
    expect(model.lead(key).provider).toBe('kraken')
    model.apply(live('coinbase', '3', 10))
    expect(model.lead(key).provider).toBe('coinbase')
    model.apply(live('kraken', '4', 310))
    expect(model.lead(key).provider).toBe('coinbase')
    model.apply(live('kraken', '5', 311))
    expect(model.lead(key).provider).toBe('kraken')
    model.apply(live('coinbase', '6', 312))
    expect(model.lead(key).provider).toBe('kraken')
    model.apply(live('coinbase', '7', 900))
    expect(model.lead(key).provider).toBe('coinbase')
  })

  it('shows an asset with the same decimals for good', () => {
    const model = new Model()
    model.apply(live('kraken', '1000.5', 1))
    expect(model.decimals(key)).toBe(2)
    model.apply(live('kraken', '99.123456', 2))
    expect(model.decimals(key)).toBe(2)
  })
})
