import { describe, expect, it } from 'vitest'
import { CryptosError, type ErrorCode, errorKinds } from '../core/errors.ts'
import { isOutcome, type Outcome, outcomes } from '../core/outcomes.ts'
import { fromError, fromOutcome } from './result.ts'

const codes = Object.keys(errorKinds) as ErrorCode[]

describe('an error as a result', () => {
  it.each(codes)('%s has an outcome of the closed list, its exit code, a reason and a remedy', code => {
    const { exit, json, text } = fromError(new CryptosError(code, 'a sentence'))
    expect(isOutcome(String(json['outcome']))).toBe(true)
    expect(exit).toBe(outcomes[json['outcome'] as Outcome].exit)
    expect(json).toMatchObject({ code, reason: 'a sentence', remedy: errorKinds[code].remedy })
    expect(text).toBe(`a sentence\n  ${code}: ${errorKinds[code].remedy}`)
  })
  it('is never retried where the same call would fail again, else always', () => {
    const exits = codes.map(code => [code, fromError(new CryptosError(code, 'x')).exit] as const)
    const forGood = exits.filter(([, exit]) => exit === 2).map(([code]) => code)
    expect(forGood).toEqual(codes.filter(code => errorKinds[code].exit === 2))
    expect(exits.every(([, exit]) => exit === 1 || exit === 2)).toBe(true)
    expect(forGood).toContain('CRY_STORE_CORRUPT')
    expect(forGood).not.toContain('CRY_DISK_FULL')
    // A person looks at the disk; a scheduler may try again.
    expect(forGood).not.toContain('CRY_STORE_BROKEN')
    for (const code of forGood) expect(errorKinds[code].reaction).toBe('stop')
  })
  it('has no stack trace, whatever was thrown', () => {
    for (const thrown of [new TypeError('boom'), 'text', undefined, null, { a: 1 }]) {
      const { exit, json, text } = fromError(thrown)
      expect([exit, json['outcome'], json['code']]).toEqual([1, 'failed', 'CRY_INTERNAL'])
      expect(`${text}${JSON.stringify(json)}`).not.toMatch(/\bat .*:\d+/)
    }
  })
  it('tells when a retry makes sense, where that is known', () => {
    const error = new CryptosError('CRY_SERVER_BUSY', 'wait', { retryAtMs: 0 })
    expect(fromError(error).json['retryAt']).toBe('1970-01-01T00:00:00.000000Z')
  })
  it('maps what the system says', () => {
    const system = (code: string): Error => Object.assign(new Error('x'), { code })
    expect(fromError(system('ENOSPC')).json).toMatchObject({ code: 'CRY_DISK_FULL', outcome: 'failed' })
    expect(fromError(system('EADDRINUSE')).exit).toBe(2)
    expect(fromError(new DOMException('x', 'AbortError')).json).toMatchObject({ outcome: 'aborted' })
  })
})

describe('an outcome as a result', () => {
  it.each(Object.keys(outcomes) as Outcome[])('%s has its own exit code', outcome => {
    const { exit, json } = fromOutcome(outcome, 'why', { provider: 'p' })
    expect(exit).toBe(outcomes[outcome].exit)
    expect(json).toMatchObject({ outcome, reason: 'why', provider: 'p' })
  })
  it('says what to do wherever a retry would never help', () => {
    const forGood = (Object.keys(outcomes) as Outcome[]).filter(outcome => outcomes[outcome].exit === 2)
    expect(forGood.length).toBeGreaterThan(2)
    for (const outcome of forGood) expect(fromOutcome(outcome, 'why').json['remedy']).toBeTypeOf('string')
  })
})
