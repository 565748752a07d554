import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../core/time.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import { twinContract } from '../../twin.contract.ts'
import { coinbase } from './index.ts'

const body = readFileSync(join(import.meta.dirname, 'fixtures', 'ticker-2026-10.json')).toString()
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const parse = (text: string, options: { status?: number; asset?: string } = {}) =>
  parseBody(coinbase, new TextEncoder().encode(text), { receivedAt, ...options })

providerContract({ provider: coinbase, body, prices: { 'BTC-USD': '81240.10' } })

twinContract({ provider: coinbase, assets: ['bitcoin', 'ethereum'] })

describe('Coinbase', () => {
  it('takes price, volume and the time of the trade to the microsecond', () => {
    const parsed = parse(body)
    expect('records' in parsed && parsed.records[0]).toMatchObject({
      ...{
        asset: 'bitcoin',
        sourceId: 'BTC-USD',
        currency: 'USD',
        price: '81240.10',
        volume24h: '5121.90211000',
      },
      ...{ observedAt: parseIso('2026-10-05T08:31:10.123456Z'), observedBy: 'source' },
    })
  })

  it('takes the product from the asset that was named', () => {
    for (const asset of ['ETH-USD', 'ethereum', 'eth']) {
      const parsed = parse(body, { asset })
      expect('records' in parsed && parsed.records[0]?.sourceId, asset).toBe('ETH-USD')
    }
    expect(() => parse(body, { asset: 'nothing' })).toThrow(expect.objectContaining({ code: 'CRY_USAGE' }))
  })

  it('refuses a message that is about another product', () => {
    const other = body.replace('{', '{"product_id":"BAND-GBP",')
    expect(parse(other)).toMatchObject({
      outcome: 'payload-invalid',
      reason: expect.stringContaining('product_id'),
    })
  })

  it.each([
    [404, '{"message":"NotFound"}', 'bad-request'],
    [429, '{"message":"Public rate limit exceeded"}', 'rate-limited'],
    [503, 'upstream', 'provider-error'],
    [200, '{"message":"maintenance"}', 'provider-error'],
    [200, '<html>', 'transport-error'],
  ])('HTTP %i with %s is %s', (status, text, outcome) => {
    expect(parse(text, { status })).toMatchObject({ outcome })
  })
})
