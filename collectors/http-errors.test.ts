import { describe, expect, it } from 'vitest'
import { httpError } from './http-errors.ts'

describe('an error of a call', () => {
  it.each([
    ['EMFILE', 'CRY_TOO_MANY_FILES'],
    ['ENFILE', 'CRY_TOO_MANY_FILES'],
    ['ECONNRESET', 'CRY_HTTP_NETWORK'],
    ['CERT_HAS_EXPIRED', 'CRY_HTTP_TLS'],
  ])('%s is %s', (code, known) => {
    const error = httpError(Object.assign(new Error('secret'), { code }), 'api.kraken.com')
    expect(error.code).toBe(known)
    expect(error.message).toContain('api.kraken.com')
    expect(error.message).toContain(`(${code})`)
    expect(error.message).not.toContain('secret')
  })
})
