import { describe, expect, it } from 'vitest'

/** What the page says of the judge's words. Its own modules that need no browser, imported by address. */
const part = (name: string) => import(new URL(`./public/${name}`, import.meta.url).href)
const { consensusTold, fullWhy, servedTold, shortWhy, skippedText, standingTold } =
  await part('judge-words.js')
const { lateMs, standOf } = await part('spot.js')
const { Judgement } = await part('judgement.js')
const { Model } = await part('model.js')
const { ChartData } = await part('chart-data.js')
const { extentOf, pointText, rangeText, shortPointText } = await part('chart-text.js')

/** Local times, so that the zone of the machine does not matter. */
const at = (hour: number, minute: number, second = 0) =>
  new Date(2026, 10, 21, hour, minute, second).getTime()
const iso = (ms: number) => new Date(ms).toISOString()
const now = at(10, 5, 20)
const minute = iso(at(10, 5))
const key = 'bitcoin USD'
const bitcoin = { asset: 'bitcoin', symbol: 'BTC', name: 'Bitcoin', currency: 'USD' }
const livePrice = (provider: string, price: string, time: number) => ({
  ...{ ...bitcoin, provider, price, time, observedAt: iso(time), receivedAt: iso(time), origin: 'live' },
})
const spot = (more: object = {}) => ({
  ...{
    ...bitcoin,
    provider: 'kraken',
    price: '80000.10',
    observedAt: iso(at(10, 4, 55)),
    receivedAt: minute,
  },
  ...{ origin: 'live', at: minute, skipped: [], ...more },
})
const frozen = `insane: frozen-value since ${iso(at(10, 2))}, 1 of 3 clean values since`

describe('the reasons of the judge', () => {
  it.each([
    [frozen, 'frozen value since 10:02'],
    [
      `insane: unit-jump since ${iso(at(9, 0))}; outlier since ${iso(at(9, 1))}`,
      'unit jump since 09:00, far from the others since 09:01',
    ],
    [`denied since ${iso(at(8, 30))}: the month has no credits left`, 'denied since 08:30'],
    ['dead: no value for 12 min', 'no value for 12 min'],
    ['too old: 20 min, at most 15 min', 'too old: 20 min'],
    ['disabled: CoinDesk is off since 2025-02-12: closed', 'off'],
    ['never had a value', 'never had a value'],
    [`x${'y'.repeat(200)}`, `x${'y'.repeat(58)}…`],
  ])('%s is short: %s', (why, short) => {
    expect(shortWhy(why, now)).toBe(short)
  })

  it('is whole where it is opened, with times as the page tells them', () => {
    expect(fullWhy(frozen, now)).toBe('insane: frozen-value since 10:02:00, 1 of 3 clean values since')
  })

  it('names two of one reason, and counts more', () => {
    const never = ['a', 'b', 'c'].map(provider => ({ provider, why: 'never had a value' }))
    expect(skippedText(never, now)).toBe('3 sources skipped: never had a value')
    expect(skippedText([{ provider: 'coinbase', why: frozen }, ...never.slice(0, 2)], now)).toBe(
      'coinbase skipped: frozen value since 10:02; a and b skipped: never had a value',
    )
  })
})

describe('the price that stands for an asset', () => {
  const lead = livePrice('coinbase', '80001', at(10, 5, 18))
  const stand = (about: object) => standOf({ spot: spot(), live: undefined, lead, now, ...about })

  it('is that of who serves: its newest, unless that is far from what was judged', () => {
    expect(stand({})).toMatchObject({ kind: 'served', price: { provider: 'kraken', price: '80000.10' } })
    const near = livePrice('kraken', '80700', at(10, 5, 10))
    expect(stand({ live: near })).toEqual({ kind: 'served', price: near, spot: spot() })
    const far = livePrice('kraken', '80000100', at(10, 5, 10))
    expect(stand({ live: far })).toMatchObject({ price: { price: '80000.10' }, held: far })
    expect(stand({ live: livePrice('kraken', '1', at(10, 4, 50)) })).toMatchObject({
      price: { price: '80000.10' },
    })
  })

  it('is the first fresh one before the judge spoke and when it is silent, and none where no source is fit', () => {
    expect(stand({ spot: undefined })).toMatchObject({ kind: 'unjudged', price: lead })
    expect(stand({ now: at(10, 5) + lateMs + 1 })).toMatchObject({ kind: 'late', price: lead })
    const none = spot({ provider: null, price: null, observedAt: null })
    expect(stand({ spot: none }).kind).toBe('none')
  })

  it('is told with who was skipped; quietly only where nothing is wrong', () => {
    const told = (about: object) => servedTold(stand(about), now)
    expect(told({})).toEqual({ text: 'Served by kraken, the first choice', lines: [], kind: 'plain' })
    const skipped = [{ provider: 'coinbase', why: frozen }]
    expect(told({ spot: spot({ skipped }) })).toEqual({
      text: 'Served by kraken; coinbase skipped: frozen value since 10:02',
      lines: ['coinbase: insane: frozen-value since 10:02:00, 1 of 3 clean values since'],
      kind: 'warn',
    })
    const never = spot({ skipped: [{ provider: 'coinbase', why: 'never had a value' }] })
    expect(told({ spot: never })).toMatchObject({ kind: 'plain', lines: ['coinbase: never had a value'] })
    const held = told({ live: livePrice('kraken', '80000100', at(10, 5, 10)) })
    expect(held).toMatchObject({ kind: 'warn', lines: [expect.stringContaining('80000100')] })
    expect(held.text).toBe('Served by kraken, the first choice; its newest price waits for the judge')
    expect(told({ spot: undefined }).text).toMatch(/^Not judged yet/)
    expect(told({ now: at(10, 5) + lateMs + 1 })).toMatchObject({
      kind: 'warn',
      text: expect.stringMatching(/^Not judged since 10:05/),
    })
    expect(told({ spot: spot({ provider: null, skipped }) }).text).toBe(
      'No source is fit to serve. coinbase skipped: frozen value since 10:02',
    )
  })
})

const source = (provider: string, excluded: string | null = null) => ({
  ...{ provider, price: '80000', observedAt: iso(at(10, 4)), ageMs: 60_000, excluded },
})
const consensus = (sources: object[], more: object = {}) => ({
  ...{ ...bitcoin, price: '80000.5', mad: '1.25', spreadPercent: '0.280201', isDivergent: false, at: minute },
  ...{ sources, counted: sources.filter(s => (s as { excluded: null }).excluded === null).length, ...more },
})

describe('the consensus in words', () => {
  const told = (c: object | undefined, more: object = {}) =>
    consensusTold(c, { decimals: 2, now, isOld: false, evidence: undefined, spot: undefined, ...more })

  it('has count, time, deviation and spread', () => {
    expect(told(consensus([source('a'), source('b'), source('c', 'outlier')]))).toEqual({
      text: 'Consensus 80,000.50 USD: median of 2 of 3 sources at 10:05, MAD 1.25, 0.28 % apart',
      ...{ lines: [], kind: 'plain' },
    })
  })

  it('is honest about one source, none, silence and a divergence', () => {
    expect(told(consensus([source('a')])).text).toBe('One source only, a: nothing to compare its price with')
    expect(told(consensus([source('a'), source('b', 'outlier')]))).toMatchObject({
      ...{ text: 'Only a counts of 2 sources: no other confirms its price', kind: 'warn' },
    })
    expect(told(undefined).text).toMatch(/^No consensus yet/)
    expect(told(undefined, { spot: spot() })).toMatchObject({
      text: 'No consensus: no source counts',
      kind: 'warn',
    })
    const both = [source('a'), source('b')]
    expect(told(consensus(both), { isOld: true }).text).toBe('No consensus since 10:05: no source counts')
    const apart = told(consensus(both, { isDivergent: true, spreadPercent: '2.3' }), {
      evidence: '2 sources lie apart',
    })
    expect(apart).toMatchObject({ kind: 'warn', lines: ['2 sources lie apart'] })
    expect(apart.text).toMatch(/^Sources disagree: 2.30 % apart. Consensus 80,000.50 USD: median of all 2/)
  })
})

describe('the standing of a source', () => {
  const flag = (provider: string, observedAt: number, more: object = {}) => ({
    ...{ ...bitcoin, provider, observedAt: iso(observedAt), flag: 'outlier', since: iso(at(10, 2)) },
    ...{ evidence: '5 % from 3 others', ...more },
  })
  const judged = (said: object) => {
    const judgement = new Judgement(() => undefined)
    judgement.use({ consensus: [], spot: [], flags: [], ...said })
    return (provider: string, time = at(10, 5, 10), when = now) =>
      standingTold(judgement.about(key, provider, time, when), when)
  }

  it('counts, serves, is doubted, does not count, or was not judged', () => {
    const sources = [
      source('kraken'),
      source('coinbase', `outlier since ${iso(at(10, 2))}`),
      source('binance'),
    ]
    const flags = [
      flag('coinbase', at(10, 4)),
      // A doubt of an older value than the judged one is past; one of a newer value is told at once.
      flag('kraken', at(10, 3)),
      flag('binance', at(10, 5, 5)),
    ]
    const told = judged({ consensus: [consensus(sources)], spot: [spot()], flags })
    expect(told('kraken')).toEqual({ text: 'Counts, serves', lines: [], kind: 'good' })
    expect(told('coinbase')).toEqual({
      text: 'Does not count: far from the others since 10:02',
      lines: ['far from the others since 10:02: 5 % from 3 others', 'Does not count: outlier since 10:02:00'],
      kind: 'warn',
    })
    expect(told('binance')).toMatchObject({ text: 'Counts, doubted: far from the others', kind: 'warn' })
    expect(told('mempool').text).toBe('Not judged yet')
    expect(told('kraken', at(10, 5), now + lateMs).text).toBe('Not judged yet')
  })

  it('tells why a source was skipped where there is no consensus at all', () => {
    const skipped = [{ provider: 'kraken', why: frozen }]
    const told = judged({ spot: [spot({ provider: null, price: null, observedAt: null, skipped })] })
    expect(told('kraken')).toMatchObject({ text: 'Does not count: frozen value since 10:02', kind: 'warn' })
  })

  it('knows a consensus that the judge has passed by: nothing counts any more', () => {
    const judgement = new Judgement(() => undefined)
    const passed = consensus([source('kraken')], { at: iso(at(10, 3)) })
    judgement.use({ consensus: [passed], spot: [spot()], flags: [] })
    expect(judgement.isOld(key, now)).toBe(true)
    judgement.use({ consensus: [consensus([source('kraken')])], spot: [spot()], flags: [] })
    expect(judgement.isOld(key, now)).toBe(false)
  })

  it('says that one source is the only one', () => {
    expect(judged({ consensus: [consensus([source('kraken')])], spot: [spot()] })('kraken').text).toBe(
      'The only source, serves',
    )
  })
})

describe('the consensus among the prices', () => {
  it('is no source: neither listed nor leading, but known for its line', () => {
    const model = new Model()
    model.know({ assets: [], providers: ['consensus', 'kraken'] })
    model.apply(livePrice('consensus', '7', at(10, 5)))
    expect(model.rows()).toEqual([])
    model.apply(livePrice('kraken', '8', at(10, 4)))
    expect(model.providers).toEqual(['kraken'])
    expect(model.prices(key).map((p: { provider: string }) => p.provider)).toEqual(['kraken'])
    expect(model.lead(key)).toMatchObject({ provider: 'kraken' })
    expect(model.newestTimes(key).get('consensus')).toBe(at(10, 5))
  })

  const point = (provider: string, start: number, price: string) => ({
    ...{ provider, time: iso(start), open: price, high: price, low: price, close: price, count: 1 },
  })
  const viewOf = (prices: Record<string, string>) => ({
    data: new ChartData({
      ...{ stepMs: 60_000, to: iso(now) },
      points: Object.entries(prices).map(([provider, price]) => point(provider, at(10, 4), price)),
    }),
    ...{ providers: Object.keys(prices), allProviders: [], name: 'Bitcoin', currency: 'USD', decimals: 2 },
    ...{ span: 'in the last hour', from: at(9, 5), to: now },
  })

  it('keeps the scale of the chart: a price in other units is named instead of drawn', () => {
    const prices = { coinbase: '79990', kraken: '80010', binance: '80000000', mempool: '0.8' }
    const view = viewOf({ ...prices, consensus: '80000' })
    expect(extentOf(view)).toEqual([79990, 80010])
    expect(rangeText(view)).toMatch(
      /highest 80,010.00 USD in the last hour {2}· {2}off the scale: binance, mempool$/,
    )
    expect(extentOf(viewOf(prices))).toEqual([0.8, 80000000])
  })

  it('stands before the lowest and the highest where a line of all would not fit', () => {
    const many = viewOf({ a: '5', b: '3', c: '9', d: '4', consensus: '4.5' })
    expect(shortPointText(many, now)).toMatch(/Consensus \(median\) 4.50 {2}· {2}b 3.00 {2}· {2}c 9.00 USD$/)
    expect(pointText(many, now)).toMatch(/a 5.00.*d 4.00.*Consensus \(median\) 4.50 USD$/)
    const few = viewOf({ a: '5', b: '3' })
    expect(shortPointText(few, now)).toBe(pointText(few, now))
  })
})
