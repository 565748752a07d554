import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['60s', 60_000],
    ['5m', 300_000],
    [' 1h ', 3_600_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['0s', 0],
  ])('%j is %i ms', (text, ms) => {
    expect(parseDuration(text, '--every')).toBe(ms)
  })
  it.each(['', 's', '5x', '1.5h', '-5s', '5 s', '1h30m', '1e3s', '9999999999s', 'constructor', '5S'])(
    '%j is refused with the option and an example',
    text => {
      expect(() => parseDuration(text, '--every')).toThrow(
        /^--every: ".*" is not a duration: .*ms, s, m, h, d, w, such as 60s/,
      )
    },
  )
  it('without a unit is refused with what is missing', () => {
    expect(() => parseDuration('60', '--every')).toThrow(/^--every: "60" has no unit: write 60s for seconds/)
  })
  it('is a safe whole number or refused, for any text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          expect(Number.isSafeInteger(parseDuration(text, '--x'))).toBe(true)
        } catch (error) {
          expect((error as { code?: string }).code).toBe('CRY_USAGE')
        }
      }),
    )
  })
})
