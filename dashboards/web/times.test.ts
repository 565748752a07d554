import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../core/brands.ts'
import { parseIso } from '../../core/time.ts'
import { formatDuration, parseDuration, parseTime, toIsoMicros } from './times.ts'

const micros = fc.integer({ min: 1_300_000_000_000_000, max: 4_000_000_000_000_000 }).map(EpochMicros)

describe('times', () => {
  it('writes every microsecond, and reads it back', () => {
    fc.assert(
      fc.property(micros, time => {
        expect(parseIso(toIsoMicros(time))).toBe(time)
        expect(parseTime('from', String(time), time)).toBe(time)
      }),
    )
  })

  it('formats what it parses', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), ms => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
    expect([60_000, 90_000, 3_600_000, 86_400_000, 1].map(formatDuration)).toEqual([
      '1m',
      '90s',
      '1h',
      '1d',
      '1ms',
    ])
  })
})
