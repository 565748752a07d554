import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { Meter } from './meter.ts'
import type { MeterEntry } from './meter.ts'

const refusals = new Set(['1008', '1009', '1010', '1011', 'EGeneral:Too many requests', 'coinbase-429'])

const entry = (at: MeterEntry['at']): Omit<MeterEntry, 'sequence' | 'delivered'> => ({
  at,
  provider: 'coinmarketcap',
  endpoint: '/x',
  scope: 'key:1',
  keyIn: 'header',
  status: 200,
  code: '0',
  credits: 1,
  result: 'served',
  faults: [],
  values: [],
})

describe('meter', () => {
  it('keeps the newest entries only, and counts all', () => {
    const clock = new VirtualClock(parseIso('2026-11-21T00:00:00Z'))
    const meter = new Meter({ clock, refusals, keepServed: 100 })
    for (let call = 0; call < 1_000; call += 1) meter.record(entry(clock.now()))
    const kept = meter.entries()
    expect(kept.length).toBeGreaterThanOrEqual(100)
    expect(kept.length).toBeLessThan(140)
    expect(kept.at(-1)?.sequence).toBe(1_000)
    expect(meter.entries(990).map(e => e.sequence)).toEqual([
      991, 992, 993, 994, 995, 996, 997, 998, 999, 1_000,
    ])
    expect(meter.entries(1)).toHaveLength(kept.length)
    expect(meter.summary().counts).toMatchObject({ requests: 1_000, served: 1_000, credits: 1_000 })
  })

  it('counts the values of an entry toward what it keeps', () => {
    const clock = new VirtualClock(parseIso('2026-11-21T00:00:00Z'))
    const meter = new Meter({ clock, refusals, keepServed: 100 })
    const value = { sourceId: '1', currency: 'USD', price: '1', observedAt: null }
    for (let call = 0; call < 50; call += 1)
      meter.record({ ...entry(clock.now()), values: Array(20).fill(value) })
    expect(meter.entries().length).toBeGreaterThanOrEqual(5)
    expect(meter.entries().length).toBeLessThanOrEqual(6)
    expect(meter.summary().counts).toMatchObject({ requests: 50, values: 1_000 })
  })

  it('counts a year of days and months, and remembers the busiest minute', () => {
    const clock = new VirtualClock(parseIso('2026-01-01T00:00:00Z'))
    const meter = new Meter({ clock, refusals })
    meter.openScope('key:1', 'coinmarketcap', { minute: 50, day: null, month: 100 })
    for (let hour = 0; hour < 365 * 24; hour += 1) {
      for (let call = 0; call < (hour === 5_000 ? 3 : 1); call += 1) meter.addCall('key:1', clock.now())
      if (hour % 24 === 0) meter.addCredits('key:1', clock.now(), 1)
      clock.advance(3_600_000)
    }
    const [scope] = meter.scopes()
    expect(scope?.months.map(month => month.credits)).toEqual([
      31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    ])
    expect(scope?.days).toHaveLength(365)
    expect(scope?.busiestMinute).toMatchObject({ calls: 3, start: parseIso('2026-07-28T08:00:00Z') })
    expect(meter.violations).toBe(0)
  })

  it('calls every moment above a limit a violation', () => {
    const clock = new VirtualClock(parseIso('2026-11-21T00:00:00Z'))
    const meter = new Meter({ clock, refusals })
    meter.openScope('key:1', 'coinmarketcap', { minute: 50, day: 3, month: 4 })
    for (const credits of [3, 1, 1]) meter.addCredits('key:1', clock.now(), credits)
    expect(meter.violationList.map(v => v.what)).toEqual(['over-day', 'over-day', 'over-month'])
  })

  it('does not blame the caller for a refusal that a fault made up', () => {
    const clock = new VirtualClock(parseIso('2026-11-21T00:00:00Z'))
    const meter = new Meter({ clock, refusals })
    for (const code of [
      '1008',
      '1009',
      '1010',
      '1011',
      'coinbase-429',
      'EGeneral:Too many requests',
      '400',
      '1006',
    ])
      meter.record({ ...entry(clock.now()), code, result: 'refused' })
    expect(meter.violations).toBe(6)
    meter.record({ ...entry(clock.now()), code: '1008', result: 'failed', faults: ['rate-limited'] })
    expect(meter.violations).toBe(6)
  })
})
