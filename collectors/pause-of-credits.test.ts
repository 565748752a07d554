import { describe, expect, it } from 'vitest'
import type { EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Ledger, ProviderUsage } from '../core/ports/ledger.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, toIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { knownAssetRefs } from './assets.ts'
import { free, refuse } from './judging.ts'
import { pauseUntilOf } from './pause-of-credits.ts'
import { collectPage } from './poll.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { gatewayError } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinpaprika } from './providers/coinpaprika/index.ts'
import { openTestPoll } from './testing/test-poll.ts'

const now = parseIso('2026-11-10T12:00:30Z')
const signal = new AbortController().signal
const answer = { status: 429, headers: {}, body: new Uint8Array(), receivedAt: now }
const verdictOf = (exhausted: 'day' | 'month') =>
  refuse({ outcome: 'quota-exhausted', reason: 'used up', charge: free, exhausted })

/** The ledger as it stands after the usage was read, with a month that ends when it is told. */
async function opened(provider = coinmarketcap) {
  const key = provider.keyed ? 'pause-of-credits-key' : undefined
  const test = await openTestPoll('http://127.0.0.1:9', new VirtualClock(now))
  const source = await test.source(provider, 'http://127.0.0.1:9', key)
  const until = async (window: 'day' | 'month', more: Partial<typeof answer> = {}) => {
    const at = await pauseUntilOf(test.ports, source, verdictOf(window), { ...answer, ...more })
    return at === undefined ? undefined : toIso(at)
  }
  return { test, source, until, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() }
}

const usageUntil = (monthResetsAt: EpochMicros, used = 9_999): ProviderUsage => {
  const limits = { plan: 'paid', creditsPerMonth: 10_000, creditsPerDay: null, callsPerMinute: 30 }
  return { at: now, limits, monthUsed: used, dayUsed: null, monthResetsAt }
}

describe('credits that are used up without a time', () => {
  it('pause until the reset that the ledger knows, be it no calendar month', async () => {
    await using run = await opened()
    await run.test.ledger.reconcile(run.source.scope, usageUntil(addMs(now, 20 * MINUTE)))
    expect(await run.until('month')).toBe('2026-11-10T12:20:30.000Z')
  })

  it('pause for an hour at most where the provider tells its usage, which a pause stops too', async () => {
    await using run = await opened()
    expect(await run.until('month')).toBe('2026-11-10T13:00:30.000Z')
    expect(await run.until('day')).toBe('2026-11-10T13:00:30.000Z')
  })

  it('pause until the end of the day or month where nobody tells the usage', async () => {
    await using run = await opened(coinpaprika)
    expect(await run.until('day')).toBe('2026-11-11T00:00:00.000Z')
    expect(await run.until('month')).toBe('2026-12-01T00:00:00.000Z')
  })

  it('pause a little where the reset that the ledger knows is over, and by the calendar where it can not be read', async () => {
    await using run = await opened()
    await run.test.ledger.reconcile(run.source.scope, usageUntil(addMs(now, MINUTE)))
    run.test.clock.advance(MINUTE)
    const receivedAt = run.test.clock.now()
    expect(await run.until('month', { receivedAt })).toBe('2026-11-10T12:11:30.000Z')
    const ledger = { status: () => Promise.reject(new CryptosError('CRY_LEDGER_UNAVAILABLE', 'away')) }
    const ports = { ...run.test.ports, ledger: ledger as unknown as Ledger }
    const { usage: _, ...provider } = coinmarketcap
    const until = await pauseUntilOf(ports, { ...run.source, provider }, verdictOf('month'), answer)
    expect(until).toBe(parseIso('2026-12-01T00:00:00Z'))
  })

  it('pause by Retry-After where the provider sends it', async () => {
    await using run = await opened()
    expect(await run.until('month', { headers: { 'retry-after': '7200' } })).toBe('2026-11-10T14:00:30.000Z')
  })

  it('let key/info tell the earlier reset: the next month begins hours after it, not days', async () => {
    await using run = await opened()
    const { test, source } = run
    const [dataset] = coinmarketcap.datasets
    if (!dataset) throw new Error('coinmarketcap has no dataset')
    let isFull = true
    const send = () =>
      Promise.resolve({
        ...answer,
        body: new TextEncoder().encode(isFull ? gatewayError(1010, 'monthly limit') : gatewayError(500, 'x')),
        receivedAt: test.clock.now(),
      })
    const ports = { ...test.ports, http: { send, close: () => undefined } }
    const page = { assets: knownAssetRefs(coinmarketcap).slice(0, 1), currency: 'USD' }
    const collect = () => {
      const slot = `coinmarketcap/quotes/${toIso(test.clock.now())}/0`
      return collectPage(ports, { source, dataset, page, slot, signal })
    }
    await test.ledger.reconcile(source.scope, usageUntil(addMs(now, 12 * HOUR), 9_000))
    const until = addMs(now, HOUR)
    expect(await collect()).toMatchObject({ outcome: 'quota-exhausted', retryAt: until, credits: 0 })
    test.clock.advance(MINUTE)
    expect(await collect()).toMatchObject({ outcome: 'denied-by-quota', retryAt: until })
    test.clock.advance(HOUR)
    // The hour is over: key/info is asked, and its figure is what holds the calls back from now on.
    const told = { ...usageUntil(addMs(now, 12 * HOUR), 10_000), at: test.clock.now() }
    await test.ledger.reconcile(source.scope, told)
    expect(await collect()).toMatchObject({
      outcome: 'denied-by-quota',
      retryAt: addMs(now, 12 * HOUR + MINUTE),
    })
    test.clock.advance(12 * HOUR)
    isFull = false
    const fresh = { ...usageUntil(addMs(now, 31 * DAY), 0), at: test.clock.now() }
    await test.ledger.reconcile(source.scope, fresh)
    expect(await collect()).toMatchObject({ outcome: 'provider-error' })
  })
})
