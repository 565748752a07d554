import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assets } from '../core/assets.ts'
import { AssetId, EpochMicros } from '../core/brands.ts'
import { addMs, MINUTE, parseIso, SECOND } from '../core/time.ts'
import { seededWalk } from './prices.ts'
import type { PriceQuery } from './prices.ts'

const noon = parseIso('2026-11-21T12:00:00Z')
const ask = (more: Partial<PriceQuery> = {}): PriceQuery => ({
  asset: AssetId('bitcoin'),
  currency: 'USD',
  at: noon,
  venue: 'x',
  decimals: 14,
  style: 'fixed',
  ...more,
})

describe('seededWalk', () => {
  it('has the same digits in another process', () => {
    const times = [noon, addMs(noon, 1_234), addMs(noon, 90 * 86_400_000)]
    const script = fileURLToPath(new URL('fixtures/price-printer.ts', import.meta.url))
    const child = spawnSync(process.execPath, [script, '7', 'ethereum', ...times.map(String)], {
      encoding: 'utf8',
    })
    const here = times.map(at => seededWalk(7).priceAt(ask({ asset: AssetId('ethereum'), at })))
    expect(child.stdout.trim().split('\n')).toEqual(here)
  })

  it('keeps its digits from version to version', () => {
    expect(seededWalk(1).priceAt(ask())).toBe('84979.69151238811208')
  })

  it('does not depend on the order of questions, and differs by seed', () => {
    const walk = seededWalk(1)
    const times = [3, 1, 2].map(step => addMs(noon, step * SECOND))
    const first = times.map(at => walk.priceAt(ask({ at })))
    const second = [...times].reverse().map(at => walk.priceAt(ask({ at })))
    expect(second.reverse()).toEqual(first)
    expect(seededWalk(2).priceAt(ask())).not.toBe(walk.priceAt(ask()))
  })

  it('moves visibly within seconds and stays near its anchor for months', () => {
    const walk = seededWalk(1)
    for (const { id: asset } of assets) {
      const at = (ms: number): number => Number(walk.priceAt(ask({ asset, at: addMs(noon, ms) })))
      const minute = Array.from({ length: 20 }, (_, step) => at(step * 3 * SECOND))
      expect(new Set(minute).size).toBe(20)
      expect(Math.max(...minute) / Math.min(...minute)).toBeLessThan(1.01)
      const months = Array.from({ length: 200 }, (_, day) => at(day * 1_440 * MINUTE))
      expect(Math.max(...months) / Math.min(...months)).toBeLessThan(2)
      expect(Math.min(...months)).toBeGreaterThan(0)
    }
  })

  it('prints a tiny price as a number with an exponent, and a conversion near the cross rate', () => {
    const walk = seededWalk(1)
    const dust = walk.priceAt(ask({ asset: AssetId('coinmarketcap:90001'), decimals: 24, style: 'number' }))
    expect(dust).toMatch(/^[789]\.\d+e-12$|^1\.\d+e-11$/)
    const [usd, eur] = ['USD', 'EUR'].map(currency => Number(walk.priceAt(ask({ currency }))))
    expect((usd ?? 0) / (eur ?? 1)).toBeGreaterThan(0.9)
    expect((usd ?? 0) / (eur ?? 1)).toBeLessThan(1.5)
    expect(walk.priceAt(ask({ currency: 'XYZ' }))).toBeUndefined()
    expect(walk.priceAt(ask({ currency: 'BTC' }))).toBe('1.00000000000000')
  })

  it('answers for any time', () => {
    for (const at of [0, 1, 1_700_000_000_000_000])
      expect(seededWalk(3).priceAt(ask({ at: EpochMicros(at) }))).toMatch(/^\d+\./)
  })
})
