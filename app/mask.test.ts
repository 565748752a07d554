import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMask, hint, maskDeep } from './mask.ts'

const secret = 'b54bcf4d-1bca/4e8e+9a24=22ff"2c3d462c'
const base64 = Buffer.from(secret).toString('base64')
const forms: readonly (readonly [string, string])[] = [
  ['as it is', secret],
  ['URL-encoded', encodeURIComponent(secret)],
  ['URL-encoded in small letters', encodeURIComponent(secret).toLowerCase()],
  ['in JSON', JSON.stringify(secret).slice(1, -1)],
  ['in base64', base64],
  ['in base64 without padding', base64.replaceAll('=', '')],
  ['in base64url', Buffer.from(secret).toString('base64url')],
  ['in hex', Buffer.from(secret).toString('hex')],
  ['in hex with capitals', Buffer.from(secret).toString('hex').toUpperCase()],
]

describe('the mask', () => {
  it.each(forms)('hides a secret %s', (_, form) => {
    expect(createMask([secret])(`before ${form} after ${form}`)).toBe('before [secret] after [secret]')
  })
  it('hides a secret inside a longer text that was put into base64', () => {
    for (const before of ['', 'u', 'us', 'use', 'user:']) {
      const text = Buffer.from(`${before}${secret}:after`).toString('base64')
      const masked = createMask([secret])(text)
      expect(masked).toContain('[secret]')
      expect(Buffer.from(masked.replace('[secret]', ''), 'base64').toString()).not.toContain('4e8e')
    }
  })
  it('hides each of several, the longer one first', () => {
    expect(createMask(['abcdef', 'abcdef-long'])('abcdef-long abcdef')).toBe('[secret] [secret]')
  })
  it('leaves all else alone, and a text too short to be a secret', () => {
    expect(createMask([])('text')).toBe('text')
    expect(createMask(['abc'])('abc')).toBe('abc')
    expect(createMask([secret])('b54bcf4d')).toBe('b54bcf4d')
  })
  it('hides any secret in any text, in every form', () => {
    const key = fc.stringMatching(/^[\x21-\x7e]{12,60}$/)
    const run = fc.property(key, fc.string(), fc.string(), (any, before, after) => {
      const mask = createMask([any])
      const bytes = Buffer.from(any)
      const shapes = [any, encodeURIComponent(any), bytes.toString('base64'), bytes.toString('hex')]
      for (const shape of shapes) {
        const masked = mask(`${before}${shape}${after}`)
        const rest = `${before}${after}`
        expect(masked.includes(shape) && !rest.includes(shape) && !'[secret]'.includes(shape)).toBe(false)
      }
    })
    fc.assert(run, { numRuns: 300 })
  })
  it('goes through every text of a result and keeps its shape', () => {
    const value = { a: [secret, 1, null, { b: `x${secret}` }], c: true }
    expect(maskDeep(value, createMask([secret]))).toEqual({
      a: ['[secret]', 1, null, { b: 'x[secret]' }],
      c: true,
    })
  })
})

describe('the hint', () => {
  it('shows four characters of a long secret and none of a short one', () => {
    expect(hint('0123456789abcdef')).toBe('01…ef (16 characters)')
    expect(hint('0123456789abcde')).toBe('(set)')
  })
})
