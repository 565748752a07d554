import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { addMs, DAY, MINUTE, parseIso, SECOND, toEpochMs, toIso } from '../../../core/time.ts'
import { pauseOf } from '../../judging.ts'
import { parseBody } from '../../parse-body.ts'
import { binance } from './index.ts'
import { judge } from './judge.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const answer = (status: number, text: string, headers = {}) => ({
  ...{ status, headers, body: bytes(text), receivedAt },
})
const judged = (status: number, text: string, headers = {}) => judge(answer(status, text, headers))
const error = (code: number, msg = 'x') => JSON.stringify({ code, msg })
const page = '<html><head><title>403 Forbidden</title></head></html>'

describe('what Binance says', () => {
  it.each([
    [429, error(-1003, 'Too much request weight used'), 'rate-limited'],
    [418, error(-1003, 'Way too much request weight used'), 'rate-limited'],
    [200, error(-1003), 'rate-limited'],
    [403, page, 'rate-limited'],
    [
      451,
      error(0, "Service unavailable from a restricted location according to 'b. Eligibility'"),
      'unauthorized',
    ],
    [400, error(-1121, 'Invalid symbol.'), 'bad-request'],
    [400, error(-1100), 'bad-request'],
    [401, error(-1002), 'unauthorized'],
    [503, error(-1008, 'Server is currently overloaded'), 'provider-error'],
    [500, error(-1000), 'provider-error'],
    [200, error(-1001), 'provider-error'],
    [200, '{"symbols":[]}', 'transport-error'],
    [200, page, 'transport-error'],
    [404, 'Not Found', 'bad-request'],
  ])('HTTP %i with %s is %s, free of charge', (status, text, outcome) => {
    const verdict = judged(status, text)
    expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } })
  })

  it('names a block by its country, its ban or its firewall', () => {
    const reasonOf = (status: number) => {
      const verdict = judged(status, error(0, 'restricted location'))
      return verdict.kind === 'refused' ? verdict.reason : ''
    }
    expect(reasonOf(451)).toMatch(/country of this address.*another source.*restricted location/)
    expect(reasonOf(418)).toMatch(/banned this address/)
    expect(reasonOf(403)).toMatch(/firewall/)
  })

  const pausedMs = (status: number, text: string, headers = {}) => {
    const until = pauseOf(judged(status, text, headers), answer(status, text, headers))
    return until === undefined ? undefined : (until - receivedAt) / 1_000
  }

  it('is left alone for as long as it says: Retry-After, or the end of the ban in its words', () => {
    expect(pausedMs(429, error(-1003), { 'retry-after': '7' })).toBe(7 * SECOND)
    expect(pausedMs(418, error(-1003), { 'retry-after': '259200' })).toBe(3 * DAY)
    const until = toEpochMs(addMs(receivedAt, 40 * MINUTE))
    expect(pausedMs(418, error(-1003, `IP banned until ${until}.`))).toBe(40 * MINUTE)
    expect(pausedMs(418, error(-1003, `IP banned until ${until}.`), { 'retry-after': '60' })).toBe(
      40 * MINUTE,
    )
    expect(pausedMs(418, error(-1003, 'IP banned until 9999999999999.'))).toBe(7 * DAY)
  })

  it('is left alone by a wait of ours where it names no time, or a past one', () => {
    expect(pausedMs(429, error(-1003))).toBe(47 * SECOND)
    expect(pausedMs(429, error(-1003), { 'retry-after': '0' })).toBe(47 * SECOND)
    expect(pausedMs(418, error(-1003, 'IP banned until 1573115440000.'))).toBe(2 * MINUTE)
    expect(pausedMs(403, page)).toBe(15 * MINUTE)
    expect(pausedMs(451, error(0))).toBeUndefined()
  })

  it('rests until the next minute once 90 % of its weight is used, with the answer kept', () => {
    const used = (weight: string) => {
      const verdict = judged(200, '[]', { 'x-mbx-used-weight-1m': weight })
      return verdict.kind === 'answered' ? verdict.pauseUntil : 'refused'
    }
    expect(used('5399')).toBeUndefined()
    expect(toIso(used('5400') as never)).toBe('2026-10-05T08:32:00.000Z')
    expect(used('many')).toBeUndefined()
    expect(judged(200, '[]')).toEqual({ kind: 'answered', charge: { kind: 'known', credits: 0 } })
  })
})

const capture = join(process.env['CRYPTOS_CAPTURES'] ?? '', 'binance', 'aggtrade_all_binance_venues.jsonl')
const hasCapture = process.env['CRYPTOS_CAPTURES'] !== undefined && existsSync(capture)
if (!hasCapture) console.warn('SKIPPED: a recorded stream of Binance is not read; set CRYPTOS_CAPTURES')

describe.skipIf(!hasCapture)('a recorded stream of Binance', () => {
  const parse = (body: Uint8Array, dataset: string) => parseBody(binance, body, { receivedAt, dataset })

  it('is refused as a whole: lines are no answer', () => {
    const body = readFileSync(capture)
    for (const dataset of ['quotes', 'history'])
      expect(parse(body, dataset)).toMatchObject({ outcome: 'transport-error' })
  })

  it('is refused line by line, and so are the messages in it: a trade is no ticker', async () => {
    let lines = 0
    for await (const line of createInterface({ input: createReadStream(capture) })) {
      lines += 1
      if (lines > 200) break
      const { raw } = JSON.parse(line) as { raw: string }
      for (const text of [line, raw])
        expect(parse(bytes(text), 'quotes')).toMatchObject({ outcome: 'transport-error' })
      for (const dataset of ['quotes', 'history'])
        expect(parse(bytes(`[${raw}]`), dataset)).toMatchObject({ outcome: 'payload-invalid' })
    }
    expect(lines).toBeGreaterThan(0)
  })
})
