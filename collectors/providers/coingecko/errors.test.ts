import { describe, expect, it } from 'vitest'
import { parseIso, toIso } from '../../../core/time.ts'
import type { HttpAnswer } from '../../provider.ts'
import { judge } from './judge.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const judged = (status: number, text: string, headers: HttpAnswer['headers'] = {}) => {
  const verdict = judge({ status, headers, body: new TextEncoder().encode(text), receivedAt })
  if (verdict.kind === 'answered') return { verdict, shown: 'answered' }
  const at = verdict.retryAt === null ? null : toIso(verdict.retryAt)
  return { verdict, shown: [verdict.outcome, at] }
}
const status = (code: number, message = 'said'): string =>
  JSON.stringify({ status: { error_code: code, error_message: message } })
const inAMinute = '2026-10-05T08:32:13.000Z'

describe('CoinGecko errors', () => {
  it.each([
    ['no key', 401, status(10_002), ['unauthorized', null]],
    ['not in the plan', 401, status(10_005), ['unauthorized', null]],
    [
      'a key of the other host',
      400,
      '{"timestamp":"2026-10-05T08:31:13.000+00:00","error_code":10010,"status":{"error_message":"If you are using Pro API key"}}',
      ['unauthorized', null],
    ],
    [
      'a Demo key at the other host',
      400,
      '{"error_code":10011,"status":{"error_message":"Demo"}}',
      ['unauthorized', null],
    ],
    ['history too old', 401, `{"error":${status(10_012)}}`, ['bad-request', null]],
    ['an unknown coin', 404, '{"error":"coin not found"}', ['bad-request', null]],
    ['a currency', 400, '{"error":"invalid vs_currency"}', ['bad-request', null]],
    ['a parameter', 422, '{"error":"Missing parameter vs_currency"}', ['bad-request', null]],
    ['too many', 429, status(429), ['rate-limited', inAMinute]],
    ['too many, with HTTP 200', 200, status(429), ['rate-limited', inAMinute]],
    ['too many, the code as text', 200, '{"status":{"error_code":"429"}}', ['rate-limited', inAMinute]],
    ['too many, a page', 429, '<html>Throttled</html>', ['rate-limited', inAMinute]],
    ['too many, the CDN', 429, 'error code: 1015', ['rate-limited', inAMinute]],
    [
      'the month',
      429,
      status(429, "You've exceeded the monthly call limit"),
      ['quota-exhausted', '2026-10-06T00:00:00.000Z'],
    ],
    ['blocked', 403, '<html>error code: 1020</html>', ['unauthorized', null]],
    ['slow', 408, '', ['provider-error', null]],
    ['broken', 500, status(500), ['provider-error', null]],
    ['away', 503, '<html>', ['provider-error', null]],
    ['broken, with HTTP 200', 200, status(503), ['provider-error', null]],
    ['an unknown code with HTTP 200', 200, status(77), ['provider-error', null]],
    ['a text with HTTP 200', 200, '{"error":"oops"}', ['provider-error', null]],
    ['a page with HTTP 200', 200, '<html>We will be back</html>', ['transport-error', null]],
  ] as const)('%s', (_, code, text, wanted) => {
    expect(judged(code, text).shown).toEqual(wanted)
  })

  it('goes by Retry-After where there is one', () => {
    expect(judged(429, status(429), { 'retry-after': '119' }).shown).toEqual([
      ...['rate-limited', '2026-10-05T08:33:12.000Z'],
    ])
  })

  it('takes a coin named status, or error, for a coin', () => {
    for (const text of [
      '{"status":{"usd":0.0234,"last_updated_at":1791189033}}',
      '{"error":{"usd":1.5},"bitcoin":{"usd":2}}',
      '{"status":{"usd":0.02,"error_code":0}}',
    ])
      expect(judged(200, text).shown, text).toBe('answered')
  })

  it('charges an answer, no 4xx, and the full cost of what nobody knows', () => {
    expect(judged(200, '{}').verdict.charge).toEqual({ kind: 'known', credits: 1 })
    expect(judged(429, status(429)).verdict.charge).toEqual({ kind: 'known', credits: 0 })
    for (const code of [200, 500])
      expect(judged(code, status(429)).verdict.charge).toEqual({ kind: 'unknown' })
  })

  it('tells CoinGecko’s code and text in the reason', () => {
    const { verdict } = judged(401, status(10_005, 'limited\u0000to PRO'))
    expect(verdict.kind === 'refused' && verdict.reason).toBe('CoinGecko (HTTP 401, 10005): limited to PRO')
  })
})
