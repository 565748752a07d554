import { describe, expect, it } from 'vitest'
import { parseIso, toIso } from '../../../core/time.ts'
import { judgeCandles, judgeMarkets, judgeTicker } from './judge.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const answer = (status: number, text: string, headers = {}) => ({
  ...{ status, headers, receivedAt },
  body: new TextEncoder().encode(text),
})
const error = (more: object): string => JSON.stringify({ status: 'error', ...more })
const page = '<!DOCTYPE html><html><body><h1>Page not found</h1></body></html>'
const incapsula =
  '<html style="height:100%"><body>Request unsuccessful. Incapsula incident ID: 1-2</body></html>'
const [quarter, none] = ['2026-10-05T08:46:13.000Z', null]

describe('what an answer of Bitstamp means', () => {
  it.each([
    [429, error({ reason: 'Slow down', response_code: '400.002' }), 'rate-limited', quarter],
    [429, 'too many requests', 'rate-limited', quarter],
    [400, error({ reason: 'limit', response_code: '400.002' }), 'rate-limited', quarter],
    [400, error({ reason: 'client limit', response_code: '400.067' }), 'rate-limited', quarter],
    [400, error({ reason: 'market limit', response_code: '400.068' }), 'rate-limited', quarter],
    [200, '192.0.2.7 blocked for 900 seconds', 'rate-limited', quarter],
    [403, '192.0.2.7 blocked for 60 seconds', 'rate-limited', '2026-10-05T08:32:13.000Z'],
    [200, '192.0.2.7 blocked for 999999 seconds', 'rate-limited', '2026-10-06T08:31:13.000Z'],
    [403, incapsula, 'rate-limited', quarter],
    [403, error({ reason: 'No permission found', code: 'API0003' }), 'unauthorized', none],
    [403, error({ reason: 'Invalid signature' }), 'unauthorized', none],
    [400, error({ reason: 'Parameters', response_code: '400.018' }), 'bad-request', none],
    [400, '{"code":"validation","errors":[{"field":"step","message":"no"}]}', 'bad-request', none],
    [404, page, 'bad-request', none],
    [404, '{"message":"Not found."}', 'bad-request', none],
    [404, error({ reason: 'Market', response_code: '404.007' }), 'bad-request', none],
    [410, error({ reason: 'deprecated', response_code: '410.001' }), 'bad-request', none],
    [400, error({ reason: 'Unknown server error.', response_code: '500.001' }), 'provider-error', none],
    [503, incapsula, 'provider-error', none],
    [500, error({ reason: 'limit', response_code: '400.002' }), 'provider-error', none],
    [200, error({ reason: { __all__: ['x'] } }), 'provider-error', none],
    [200, '{"error":"Something"}', 'provider-error', none],
    [200, page, 'transport-error', none],
    [301, page, 'transport-error', none],
  ])('HTTP %i %s is %s', (status, text, outcome, retryAt) => {
    for (const judge of [judgeTicker, judgeCandles, judgeMarkets]) {
      const verdict = judge(answer(status, text))
      expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } })
      const at = verdict.kind === 'refused' ? verdict.retryAt : null
      expect(at === null ? null : toIso(at)).toBe(retryAt)
    }
  })

  it('names the code and the first words of each form', () => {
    const reasonOf = (status: number, text: string) => {
      const verdict = judgeTicker(answer(status, text))
      return verdict.kind === 'refused' ? verdict.reason : ''
    }
    expect(reasonOf(400, error({ reason: 'Too fast', response_code: '400.002' }))).toBe(
      'Bitstamp (HTTP 400, 400.002): Too fast',
    )
    expect(reasonOf(400, '{"code":"v","errors":[{"message":"no step"}]}')).toBe(
      'Bitstamp (HTTP 400, v): no step',
    )
    expect(reasonOf(404, '{"message":"Not found."}')).toBe('Bitstamp (HTTP 404): Not found.')
    expect(reasonOf(404, page)).toMatch(/^Bitstamp \(HTTP 404\): no JSON/)
  })

  it('believes Retry-After before its own wait', () => {
    const verdict = judgeTicker(answer(429, 'no', { 'retry-after': '60' }))
    expect(verdict.kind === 'refused' && verdict.retryAt && toIso(verdict.retryAt)).toBe(
      '2026-10-05T08:32:13.000Z',
    )
  })

  it('takes no ticker for its own that lacks what each of its own has', () => {
    const ticker = { last: '1.0', vwap: '1', bid: '1', ask: '1', timestamp: '1' }
    expect(judgeTicker(answer(200, JSON.stringify(ticker)))).toMatchObject({ kind: 'answered' })
    for (const name of Object.keys(ticker))
      expect(judgeTicker(answer(200, JSON.stringify({ ...ticker, [name]: undefined })))).toMatchObject({
        outcome: 'transport-error',
      })
  })

  it('takes a body for data only at the endpoint that has it, and no error beside data', () => {
    const [ticker, candles] = [
      '{"last":"1.0","vwap":"1","bid":"1","ask":"1","timestamp":"1"}',
      '{"data":{"pair":"BTC/USD","ohlc":[]}}',
    ]
    expect([judgeTicker, judgeCandles, judgeMarkets].map(j => j(answer(200, ticker)).kind)).toEqual([
      ...['answered', 'refused', 'refused'],
    ])
    expect([judgeTicker, judgeCandles, judgeMarkets].map(j => j(answer(200, candles)).kind)).toEqual([
      ...['refused', 'answered', 'refused'],
    ])
    expect([judgeTicker, judgeCandles, judgeMarkets].map(j => j(answer(200, '[]')).kind)).toEqual([
      ...['refused', 'refused', 'answered'],
    ])
    expect(judgeTicker(answer(200, ticker.replace('{', '{"status":"error",')))).toMatchObject({
      kind: 'refused',
    })
  })
})
