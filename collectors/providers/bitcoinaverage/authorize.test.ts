import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../core/time.ts'
import { authorize } from './authorize.ts'

const at = parseIso('2026-01-01T00:00:00.999Z')

describe('the key of BitcoinAverage', () => {
  it('signs the whole second and the public key', () => {
    // printf '1767225600.public-key' | openssl dgst -sha256 -hmac 'the-secret'
    const hex = '11067488a1c29e9e5bb4e546a15f8b330937fd7cbe88cb07271df00a71d7b6b3'
    expect(authorize('public-key:the-secret', at)).toEqual({
      name: 'X-signature',
      value: `1767225600.public-key.${hex}`,
    })
  })

  it('without a secret is a header of its own', () => {
    expect(authorize('public-key', at)).toEqual({ name: 'x-ba-key', value: 'public-key' })
  })

  it.each(['', ':', 'public:', ':secret', 'a:b:c', 'public.secret', 'pub lic', 'public.key:secret'])(
    'is refused as %j, and not repeated',
    key => {
      expect(() => authorize(key, at)).toThrow(
        expect.objectContaining({
          code: 'CRY_CONFIG_INVALID',
          message: 'the key of BitcoinAverage is <public> or <public>:<secret>',
        }),
      )
    },
  )
})
