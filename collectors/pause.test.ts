import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../core/outcomes.ts'
import { addMs, HOUR, MINUTE, parseIso, SECOND, toIso } from '../core/time.ts'
import { knownAssetRefs } from './assets.ts'
import { free, pauseOf, refuse, retryAfter } from './judging.ts'
import { collectPage } from './poll.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { gatewayError, keyInfo2026, shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { openTestPoll } from './testing/test-poll.ts'
import { reconcileUsage } from './usage.ts'

const opened: AsyncDisposable[] = []
const signal = new AbortController().signal
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing[Symbol.asyncDispose]()
})

async function setup(listener: RequestListener) {
  let calls = 0
  const server = createServer((request, response) => {
    calls += 1
    listener(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  opened.push({ [Symbol.asyncDispose]: close })
  const test = await openTestPoll(origin)
  opened.push(test)
  const source = await test.source(coinmarketcap, origin, 'pause-test-key')
  const [dataset] = coinmarketcap.datasets
  if (!dataset) throw new Error('coinmarketcap has no dataset')
  const page = { assets: knownAssetRefs(coinmarketcap).slice(0, 1), currency: 'USD' }
  const collect = (more: Partial<typeof dataset> = {}) => {
    const slot = `coinmarketcap/quotes/${toIso(test.clock.now())}/0`
    return collectPage(test.ports, { source, dataset: { ...dataset, ...more }, page, slot, signal })
  }
  return { ...test, source, dataset, collect, calls: () => calls }
}

const good = shapes['v3 list'] ?? ''

describe('a provider that refuses until a time', () => {
  it('is not called by the next sweeps until then, and is called again after', async () => {
    let isAngry = true
    const test = await setup((_, response) => {
      response.statusCode = isAngry ? 429 : 200
      if (isAngry) response.setHeader('Retry-After', '7200')
      response.end(isAngry ? gatewayError(1011, 'your IP is blocked') : good)
    })
    const until = addMs(test.clock.now(), 2 * HOUR)
    expect(await test.collect()).toMatchObject({ outcome: 'rate-limited', retryAt: until, credits: 0 })
    isAngry = false
    for (let swept = 0; swept < 119; swept += 1) {
      test.clock.advance(MINUTE)
      const denied = await test.collect()
      expect(denied).toMatchObject({ outcome: 'denied-by-quota', retryAt: until, credits: 0 })
      expect(denied.reason).toContain(toIso(until))
      expect(denied.reason).toContain('your IP is blocked')
    }
    const usage = await reconcileUsage(test.ports, test.source, signal)
    expect(usage).toMatchObject({ kind: 'denied', outcome: 'denied-by-quota' })
    expect(test.calls()).toBe(1)
    test.clock.advance(MINUTE)
    expect(await test.collect()).toMatchObject({ outcome: 'collected', records: 1 })
    expect(test.calls()).toBe(2)
  })

  it('says so in an answer too: it is kept, and the next call waits', async () => {
    const test = await setup((_, response) => response.end(good))
    const pauseUntil = addMs(test.clock.now(), 30 * SECOND)
    const judge = () => ({ kind: 'answered', charge: free, pauseUntil }) as const
    expect(await test.collect({ judge })).toMatchObject({ outcome: 'collected', records: 1 })
    test.clock.advance(SECOND)
    const denied = await test.collect()
    expect(denied).toMatchObject({ outcome: 'denied-by-quota', retryAt: pauseUntil })
    expect(denied.reason).toContain('counter')
  })

  it('is left alone when it refuses the usage call', async () => {
    const test = await setup((_, response) => {
      response.statusCode = 429
      response.setHeader('Retry-After', '600')
      response.end(gatewayError(1011, 'too many'))
    })
    expect(await reconcileUsage(test.ports, test.source, signal)).toMatchObject({ kind: 'failed' })
    expect(await test.collect()).toMatchObject({
      outcome: 'denied-by-quota',
      retryAt: addMs(test.clock.now(), 600 * SECOND),
    })
    expect(test.calls()).toBe(1)
  })

  it('pauses nothing by an error without Retry-After, or by a time that only a judge guessed', async () => {
    const test = await setup((request, response) => {
      response.statusCode = request.url?.includes('key/info') ? 200 : 503
      response.end(response.statusCode === 200 ? keyInfo2026 : 'maintenance')
    })
    expect(await test.collect()).toMatchObject({ outcome: 'provider-error' })
    expect(await reconcileUsage(test.ports, test.source, signal)).toEqual({ kind: 'reconciled' })
    const guess = addMs(test.clock.now(), HOUR)
    const judge = () => refuse({ outcome: 'provider-error', reason: 'closed', charge: free, retryAt: guess })
    expect(await test.collect({ judge })).toMatchObject({ outcome: 'provider-error', retryAt: guess })
    test.clock.advance(MINUTE)
    expect(await test.collect()).toMatchObject({ outcome: 'provider-error' })
    expect(test.calls()).toBe(4)
  })
})

describe('a refusal with Retry-After pauses the scope, whatever it is', () => {
  const html = '<!DOCTYPE html><title>Down for maintenance</title>'
  it.each([
    ['503 with a page', 503, html, 'provider-error'],
    ['503 in the envelope', 503, gatewayError(500, 'maintenance'), 'provider-error'],
    ['a page of HTML with 200', 200, html, 'transport-error'],
    ['403', 403, gatewayError(1006, 'not in your plan'), 'unauthorized'],
  ] as const)('%s', async (_, status, body, outcome) => {
    let isDown = true
    const test = await setup((_request, response) => {
      response.statusCode = isDown ? status : 200
      if (isDown) response.setHeader('Retry-After', '3600')
      response.end(isDown ? body : good)
    })
    const until = addMs(test.clock.now(), HOUR)
    expect(await test.collect()).toMatchObject({ outcome, retryAt: until })
    isDown = false
    for (let swept = 0; swept < 59; swept += 1) {
      test.clock.advance(MINUTE)
      expect(await test.collect()).toMatchObject({ outcome: 'denied-by-quota', retryAt: until })
    }
    expect(await reconcileUsage(test.ports, test.source, signal)).toMatchObject({ kind: 'denied' })
    expect(test.calls()).toBe(1)
    test.clock.advance(MINUTE)
    expect(await test.collect()).toMatchObject({ outcome: 'collected' })
  })

  it('for the longer of the header and of what the judge says of the address', () => {
    const receivedAt = parseIso('2026-11-21T12:00:30Z')
    const pausedMs = (outcome: Outcome, retryMs: number | null, header?: string) => {
      const headers = header === undefined ? {} : { 'retry-after': header }
      const answer = { status: 503, headers, body: new Uint8Array(), receivedAt }
      const retryAt = retryMs === null ? null : addMs(receivedAt, retryMs)
      const until = pauseOf(refuse({ outcome, reason: '', charge: free, retryAt }), answer)
      return until === undefined ? undefined : (until - receivedAt) / 1_000
    }
    expect(pausedMs('provider-error', null)).toBeUndefined()
    expect(pausedMs('bad-request', HOUR)).toBeUndefined()
    expect(pausedMs('provider-error', HOUR, '60')).toBe(MINUTE)
    expect(pausedMs('quota-exhausted', HOUR)).toBe(HOUR)
    expect(pausedMs('rate-limited', HOUR, '60')).toBe(HOUR)
    expect(pausedMs('rate-limited', MINUTE, '3600')).toBe(HOUR)
    expect(pausedMs('rate-limited', null, 'soon')).toBeUndefined()
  })
})

describe('Retry-After', () => {
  it('counts up to 7 days ahead: a ban may have three', async () => {
    const receivedAt = (await setup((_, response) => response.end())).clock.now()
    const told = (value: string) => {
      const answer = { status: 418, headers: { 'retry-after': value }, body: new Uint8Array(), receivedAt }
      const at = retryAfter(answer)
      return at === null ? null : (at - receivedAt) / 1_000_000
    }
    expect(told('259200')).toBe(259_200)
    expect(told('99999999')).toBe(7 * 86_400)
    expect(told('Sun, 22 Nov 2026 12:00:30 GMT')).toBe(86_400)
    expect(told('soon')).toBeNull()
  })
})
