import { describe, expect, it } from 'vitest'
import { AssetId } from '../../core/brands.ts'
import { toIso } from '../../core/time.ts'
import { judgeDefaults } from './defaults.ts'
import { flagsOf, gapOf, minute, quoteOf, servingIn } from './judge.contract.ts'
import { Judge } from './judge.ts'

const order = {
  ...judgeDefaults,
  spot: { ...judgeDefaults.spot, sources: ['kraken', 'coinbase', 'mempool'] },
}

describe('the role', () => {
  const feed = (judge: Judge, n: number, prices: Record<string, string>): string[] =>
    Object.entries(prices).flatMap(([p, price]) => flagsOf(judge.observe(quoteOf(p, price, minute(n)))))

  it('goes to the next source while one is dead, insane, denied or unknown, and back when it is clean', () => {
    const judge = new Judge(order)
    feed(judge, 0, { kraken: '84000.1', coinbase: '84001.1', mempool: '84002' })
    expect(servingIn(judge.minute(minute(1)))[0]).toMatchObject({
      provider: 'kraken',
      price: '84000.1',
      skipped: [],
    })
    expect(feed(judge, 1, { coinbase: '84001.2', mempool: '84003', kraken: '8400.1' })).toEqual(['unit-jump'])
    expect(servingIn(judge.minute(minute(2)))[0]).toMatchObject({
      provider: 'coinbase',
      skipped: [{ provider: 'kraken', why: `insane: unit-jump since ${toIso(minute(1))}` }],
    })
    for (const n of [2, 3]) feed(judge, n, { kraken: `84000.${n}`, coinbase: `84001.${n}`, mempool: '84002' })
    expect(servingIn(judge.minute(minute(4)))[0]?.skipped[0]?.why).toMatch(/2 of 3 clean values since/)
    feed(judge, 4, { kraken: '84000.4', coinbase: '84001.4' })
    expect(servingIn(judge.minute(minute(5)))[0]?.provider).toBe('kraken')
    expect(servingIn(judge.minute(minute(12)))[0]).toMatchObject({
      provider: null,
      price: null,
      skipped: [
        { provider: 'kraken', why: 'dead: no value for 8 min' },
        { provider: 'coinbase', why: 'dead: no value for 8 min' },
        { provider: 'mempool', why: 'dead: no value for 9 min' },
      ],
    })
  })

  it('passes over what is denied, switched off, or was never heard of', () => {
    const judge = new Judge({ ...order, spot: { ...order.spot, disabled: { mempool: 'end of service' } } })
    feed(judge, 0, { coinbase: '84001.1', mempool: '84002' })
    judge.observeGap(gapOf('coinbase', minute(1), { state: 'denied', reason: 'month used up' }))
    expect(servingIn(judge.minute(minute(1)))[0]?.skipped.map(s => s.why)).toEqual([
      'never had a value',
      `denied since ${toIso(minute(1))}: month used up`,
      'disabled: end of service',
    ])
    feed(judge, 2, { coinbase: '84001.2' })
    expect(servingIn(judge.minute(minute(2)))[0]?.provider).toBe('coinbase')
  })

  it('does not wait for a price that a source has not to offer', () => {
    const offers = {
      kraken: { currencies: ['USDT'] },
      mempool: { currencies: ['USD'], assets: [AssetId('bitcoin')] },
    }
    const judge = new Judge({ ...order, spot: { ...order.spot, offers } })
    feed(judge, 0, { coinbase: '84001.1' })
    judge.observe(quoteOf('coinbase', '2760.5', minute(0), { asset: AssetId('ethereum') }))
    judge.observe(quoteOf('binance', '2761', minute(0), { asset: AssetId('ethereum'), currency: 'USDT' }))
    const told = servingIn(judge.minute(minute(6))).map(s => [
      s.asset,
      s.currency,
      s.skipped.map(x => x.provider),
    ])
    expect(told).toEqual([
      ['bitcoin', 'USD', ['coinbase', 'mempool']],
      ['ethereum', 'USD', ['coinbase']],
      ['ethereum', 'USDT', ['kraken', 'coinbase']],
    ])
  })

  it('waits for a value that is asked for every 15 minutes, and for no other of its provider', () => {
    const intervalsMs = { byAsset: new Map([[AssetId('bitcoin'), 60_000]]), other: 900_000 }
    const offers = { kraken: { intervalsMs } }
    const judge = new Judge({ ...order, spot: { ...order.spot, offers, sources: ['kraken'] } })
    judge.observe(quoteOf('kraken', '84001.1', minute(0)))
    judge.observe(quoteOf('kraken', '84.1', minute(0), { asset: AssetId('litecoin') }))
    const at = (n: number) => servingIn(judge.minute(minute(n))).map(s => s.price)
    expect(at(5)).toEqual(['84001.1', '84.1'])
    expect(at(6)).toEqual([null, '84.1'])
    expect(at(22)).toEqual([null, '84.1'])
    expect(servingIn(judge.minute(minute(23)))[1]?.skipped[0]?.why).toBe('dead: no value for 23 min')
  })

  it('passes over a source that was called twice in vain, though its value is young, until it has one again', () => {
    const judge = new Judge(order)
    const fail = (n: number, state: 'failed' | 'provider-down'): void =>
      void judge.observeGap(gapOf('kraken', minute(n), { state, reason: 'HTTP 500' }))
    feed(judge, 0, { kraken: '84000.1', coinbase: '84001.1', mempool: '84002' })
    fail(1, 'provider-down')
    fail(1, 'provider-down')
    expect(servingIn(judge.minute(minute(1)))[0]?.provider).toBe('kraken')
    fail(2, 'failed')
    expect(servingIn(judge.minute(minute(2)))[0]).toMatchObject({
      provider: 'coinbase',
      skipped: [{ provider: 'kraken', why: `dead: 2 calls in vain since ${toIso(minute(1))}: HTTP 500` }],
    })
    feed(judge, 3, { kraken: '84000.3' })
    expect(servingIn(judge.minute(minute(3)))[0]?.provider).toBe('kraken')
    fail(4, 'failed')
    expect(servingIn(judge.minute(minute(4)))[0]?.provider).toBe('kraken')
  })
})
