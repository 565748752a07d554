import { describe, expect, it } from 'vitest'
import { AssetId } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { recordedSeries } from './prices.ts'

const csv = `time,asset,price
2026-11-21T12:01:00Z,bitcoin,84000.10
2026-11-21T12:00:00Z,bitcoin,83999.123456789012345000
2026-11-21T12:00:00Z,ethereum,9.60e-12
`
const priceAt = (text: string, asset: string, time: string, currency = 'USD'): string | undefined =>
  recordedSeries(text).priceAt({
    asset: AssetId(asset),
    currency,
    at: parseIso(time),
    venue: 'x',
    decimals: 2,
    style: 'number',
  })

describe('recordedSeries', () => {
  it('holds a price, with its own digits, until the next row; before the first there is none', () => {
    expect(priceAt(csv, 'bitcoin', '2026-11-21T11:59:59.999999Z')).toBeUndefined()
    expect(priceAt(csv, 'bitcoin', '2026-11-21T12:00:00Z')).toBe('83999.123456789012345000')
    expect(priceAt(csv, 'bitcoin', '2026-11-21T12:00:59.999999Z')).toBe('83999.123456789012345000')
    expect(priceAt(csv, 'bitcoin', '2026-11-21T12:01:00Z')).toBe('84000.10')
    expect(priceAt(csv, 'ethereum', '2027-01-01T00:00:00Z')).toBe('9.60e-12')
    expect(priceAt(csv, 'solana', '2027-01-01T00:00:00Z')).toBeUndefined()
    expect(priceAt(csv, 'bitcoin', '2027-01-01T00:00:00Z', 'EUR')).toBeUndefined()
  })

  it('takes a currency column, any column order, Windows line ends and a byte order mark', () => {
    const text = '\uFEFFasset,currency,price,time\r\nbitcoin,eur,70000,2026-11-21T12:00:00Z\r\n'
    expect(priceAt(text, 'bitcoin', '2026-11-21T12:00:00Z', 'EUR')).toBe('70000')
  })

  it.each([
    ['', 'line 1: the header'],
    ['time,asset\n', 'line 1: the header'],
    ['time,asset,price,time\n', 'line 1: the header'],
    ['time,asset,price,colour\n', 'line 1: the header'],
    ['time,asset,price\n', 'line 2: there is no row'],
    ['time,asset,price\n2026-11-21T12:00:00Z,bitcoin,1\n\nyesterday,bitcoin,1\n', 'line 4: not an ISO time'],
    ['time,asset,price\n2026-11-21T12:00:00Z,bitcoin,1,2\n', 'line 2: 3 columns wanted, 4 found'],
    ['time,asset,price\n2026-11-21T12:00:00Z,bitcoin,1.\n', 'line 2: not a decimal number'],
    ['time,asset,price\n2026-11-21T12:00:00Z,bitcoin,-1\n', 'line 2: a price below zero'],
    ['time,asset,price\n2026-11-21T12:00:00Z,Bit Coin,1\n', 'line 2: not an asset id'],
    ['time,asset,price\n2026-11-21T12:00:00Z,a,1\n2026-11-21T12:00:00Z,a,2\n', 'two prices of a|USD'],
  ])('says what is wrong and where: %j', (text, message) => {
    expect(() => recordedSeries(text)).toThrow(message)
  })
})
