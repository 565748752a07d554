import { AxiosError, AxiosHeaders } from 'axios'
import { describe, expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import { createLog, errorFields, safeFields } from './log.ts'

const canary = 'canary-5a1e-0123456789'

function logged(fields: object, message = 'm', level = 'debug'): string {
  let text = ''
  const log = createLog(level, [canary], line => {
    text += line
  })
  log.warn(fields, message)
  return text
}

function clientError(): Error {
  const headers = new AxiosHeaders({ 'X-CMC_PRO_API_KEY': 'another-key-nobody-registered' })
  return new AxiosError(`failed with ${canary}`, 'ERR', { headers }, { headers, path: `/?key=${canary}` })
}

describe('a log line', () => {
  it('is written, as JSON, with its fields', () => {
    expect(JSON.parse(logged({ provider: 'kraken', n: 1, list: [1, null] }, 'hello'))).toMatchObject({
      level: 40,
      msg: 'hello',
      provider: 'kraken',
      n: 1,
      list: [1, null],
    })
  })
  it.each<[string, object]>([
    ['in a field', { a: canary }],
    ['in a name', { [canary]: 1 }],
    ['deep inside', { a: { b: [{ c: canary }] } }],
    ['in an error', new Error(canary)],
    ['in a cause', errorFields(new Error('x', { cause: new Error(canary) }))],
    ['in an error as a field', { e: new Error('x', { cause: new Error(canary) }) }],
    ['in a client error', { e: clientError() }],
    ['in a client error as the fields', clientError()],
    ['in a map', { m: new Map([['a', canary]]) }],
    ['in a buffer', { b: Buffer.from(canary) }],
    ['in base64', { b: Buffer.from(canary).toString('base64') }],
    ['in a config dump', { config: { secrets: { coinmarketcap: canary } } }],
  ])('never shows a secret %s', (_, fields) => {
    const text = logged(fields)
    expect(text).toContain('"msg":"m"')
    expect(text).not.toContain('5a1e')
    expect(text).not.toContain(Buffer.from(canary).toString('base64').slice(2, 20))
    expect(text).not.toContain('nobody-registered')
  })
  it('never shows one in its message', () => {
    expect(logged({}, `sent ${canary}`)).toContain('sent [secret]')
  })
  it.each([
    'apiKey',
    'X-CMC_PRO_API_KEY',
    'api_key',
    'authorization',
    'Cookie',
    'password',
    'token',
    'clientSecret',
  ])('blanks what is named %s, whatever it holds', name => {
    expect(safeFields({ [name]: 'value-that-no-list-knows', other: 1 })).toEqual({
      [name]: '[secret]',
      other: 1,
    })
    expect(safeFields({ headers: { [name]: ['a', 'b'] } })).toEqual({ headers: { [name]: '[secret]' } })
  })
  it('survives a circle and a number without limit', () => {
    const circle: Record<string, unknown> = { big: 2n ** 70n }
    circle['self'] = circle
    expect(logged(circle)).toContain('[too deep]')
  })
  it('is not made below the level', () => {
    let lines = 0
    const log = createLog('warn', [], () => {
      lines += 1
    })
    log.debug({}, 'x')
    log.info({}, 'x')
    expect(lines).toBe(0)
    log.error({}, 'x')
    expect(lines).toBe(1)
    createLog('silent', [], () => {
      lines += 1
    }).error({}, 'x')
    expect(lines).toBe(1)
  })
})

describe('an error in the log', () => {
  it('is its code and sentence, without a stack where it is expected', () => {
    expect(errorFields(new CryptosError('CRY_USAGE', 'wrong'))).toEqual({ code: 'CRY_USAGE', error: 'wrong' })
    expect(errorFields('text')).toEqual({ error: 'text' })
    expect(errorFields(new TypeError('t', { cause: new Error('c') }))).toMatchObject({
      code: 'TypeError',
      error: 't',
      cause: 'c',
    })
  })
})
