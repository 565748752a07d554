import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assets, findAsset } from './assets.ts'
import {
  AssetId,
  Credits,
  DecimalString,
  DurationMs,
  EpochMicros,
  isDecimalString,
  ProviderId,
} from './brands.ts'
import { CryptosError, classify, errorKinds, toCryptosError } from './errors.ts'
import { exitCodeOf, isOutcome, outcomes, type Outcome } from './outcomes.ts'
import { quoteId, quoteVersion } from './records.ts'
import { addMs, parseIso, toIso } from './time.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('brands', () => {
  it.each(['0', '84278.77808276', '9.614444201187e-12', '1e15', '1.50', '-13.1733', '1E+5'])(
    'take the decimal %s as it is',
    text => {
      expect(DecimalString(text)).toBe(text)
    },
  )
  it.each([
    '',
    '1,000.5',
    '.5',
    '5.',
    '01',
    '+1',
    'NaN',
    'Infinity',
    '1e400',
    '0x10',
    ' 1',
    '1 ',
    '1e',
    '١',
    `1${'0'.repeat(100)}`,
  ])('refuse %j as a decimal', text => {
    expect(() => DecimalString(text)).toThrow(CryptosError)
  })
  it('take every number from 1e-300 up that JavaScript prints, and nothing that is not one', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        n => isDecimalString(String(n)) || Math.abs(n) < 1e-300,
      ),
    )
    fc.assert(fc.property(fc.string(), text => !isDecimalString(text) || Number.isFinite(Number(text))))
  })
  it('refuse fractions, negatives and what is too large for an integer', () => {
    for (const make of [EpochMicros, DurationMs, Credits])
      for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
        expect(() => make(bad)).toThrow(CryptosError)
  })
  it('refuse ids that could be a path, a tag or a key separator', () => {
    for (const bad of ['', 'Bitcoin', '../x', 'a|b', 'a b', 'coinmarketcap:', 'x'.repeat(200)])
      expect(() => AssetId(bad)).toThrow(CryptosError)
    for (const bad of ['', 'A', '1x', 'a/b', '__proto__']) expect(() => ProviderId(bad)).toThrow(CryptosError)
    expect(AssetId('coinmarketcap:4705')).toBe('coinmarketcap:4705')
  })
})

describe('time', () => {
  it('reads microseconds and cuts what is finer', () => {
    expect(parseIso('2026-09-24T16:02:03.123456789Z')).toBe(Date.UTC(2026, 8, 24, 16, 2, 3) * 1_000 + 123_456)
    expect(parseIso('2026-09-24T18:02:03+02:00')).toBe(parseIso('2026-09-24T16:02:03.000Z'))
  })
  it.each([
    '2026-09-24',
    '2026-09-24 16:02:03',
    '2026-13-01T00:00:00Z',
    '2008-12-31T23:59:59Z',
    '1970-01-01T00:00:00Z',
    '2026-09-24T16:02:03',
    '',
  ])('refuses %j', text => {
    expect(() => parseIso(text)).toThrow(CryptosError)
  })
  it('prints what it reads', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2010-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        d => toIso(parseIso(d.toISOString())) === d.toISOString(),
      ),
    )
  })
})

describe('errors and outcomes', () => {
  it('every code has a meaning, a remedy and one reaction', () => {
    for (const [code, { meaning, remedy, reaction }] of Object.entries(errorKinds)) {
      expect(code).toMatch(/^CRY_[A-Z_]+$/)
      expect(meaning.length).toBeGreaterThan(10)
      expect(remedy.length).toBeGreaterThan(5)
      expect(['retry', 'wait', 'dead-letter', 'stop']).toContain(reaction)
    }
  })
  it('system errors get their own code, anything else is internal', () => {
    const system = (code: string): Error => Object.assign(new Error(code), { code })
    expect(toCryptosError(system('ENOSPC')).code).toBe('CRY_DISK_FULL')
    expect(toCryptosError(system('EADDRINUSE')).code).toBe('CRY_PORT_IN_USE')
    expect(toCryptosError(system('EACCES')).code).toBe('CRY_STORE_UNWRITABLE')
    expect(toCryptosError(system('EMFILE')).code).toBe('CRY_TOO_MANY_FILES')
    expect(toCryptosError(system('ENFILE')).code).toBe('CRY_TOO_MANY_FILES')
    const ofNode = { code: 'ERR_WORKER_INIT_FAILED' }
    const thread = Object.assign(new Error('Worker initialization failure: EMFILE'), ofNode)
    expect(toCryptosError(thread).code).toBe('CRY_TOO_MANY_FILES')
    expect(toCryptosError(Object.assign(new Error('out of memory'), ofNode)).code).toBe('CRY_INTERNAL')
    expect(toCryptosError(new Error('too many open files')).code).toBe('CRY_INTERNAL')
    expect(toCryptosError(new DOMException('x', 'AbortError')).code).toBe('CRY_ABORTED')
    expect(toCryptosError('text').code).toBe('CRY_INTERNAL')
    expect(classify(new CryptosError('CRY_PROVIDER_PAYLOAD', 'x'))).toBe('dead-letter')
  })
  it('outcomes end in the four exit codes and no others', () => {
    for (const name of Object.keys(outcomes) as Outcome[]) expect([0, 1, 2, 99]).toContain(exitCodeOf(name))
    expect(isOutcome('collected')).toBe(true)
    expect(isOutcome('toString')).toBe(false)
  })
})

describe('records', () => {
  const quote = {
    provider: ProviderId('kraken'),
    asset: AssetId('bitcoin'),
    currency: 'USD',
    observedAt: EpochMicros(5),
    receivedAt: EpochMicros(9),
    revision: 0,
  }
  it('a quote is named by its identity, and a later or rederived value has the larger version', () => {
    expect(quoteId(quote)).toBe('kraken|bitcoin|USD|5')
    expect(quoteVersion({ ...quote, revision: 1 })).toBeGreaterThan(quoteVersion(quote))
  })
  it('assets have distinct ids and are found by id or by a symbol in any case', () => {
    expect(new Set(assets.map(a => a.id)).size).toBe(assets.length)
    expect(findAsset('btc')?.id).toBe('bitcoin')
    expect(findAsset('BITCOIN')?.id).toBe('bitcoin')
    expect(findAsset('nothing')).toBeUndefined()
  })
})

describe('the virtual clock', () => {
  it('wakes sleepers when their time has passed, and not before', async () => {
    const clock = new VirtualClock(EpochMicros(1_000_000))
    let awake = false
    const sleeping = clock.sleep(100).then(() => (awake = true))
    clock.advance(99)
    await Promise.resolve()
    expect(awake).toBe(false)
    clock.advance(1)
    await sleeping
    expect(clock.now()).toBe(addMs(EpochMicros(1_000_000), 100))
  })
  it('lets the wall jump while monotonic time stays', () => {
    const clock = new VirtualClock(EpochMicros(1_000_000_000))
    clock.jump(-500)
    expect(clock.monotonicMs()).toBe(0)
    expect(clock.now()).toBe(999_500_000)
  })
  it('an aborted sleep rejects and leaves nothing behind', async () => {
    const clock = new VirtualClock(EpochMicros(0))
    const stop = new AbortController()
    const sleeping = clock.sleep(10, stop.signal)
    stop.abort()
    await expect(sleeping).rejects.toThrow()
  })
})
