import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseIso, toIso } from '../../../core/time.ts'
import { parseBody } from '../../parse-body.ts'
import { providerContract } from '../../provider.contract.ts'
import { twinContract } from '../../twin.contract.ts'
import { splitPair } from './assets.ts'
import { kraken } from './index.ts'

const body = readFileSync(join(import.meta.dirname, 'fixtures', 'ticker-2026-10.json'))
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string, status = 200) => parseBody(kraken, bytes(text), { receivedAt, status })

providerContract({
  provider: kraken,
  body: body.toString(),
  prices: { XXBTZUSD: '81240.10000', XDGUSD: '0.100200000' },
})

twinContract({ provider: kraken })

describe('Kraken', () => {
  it('takes the last trade and the 24-hour volume; the time is ours, and says so', () => {
    const parsed = parse(body.toString())
    expect('records' in parsed && parsed.records[0]).toMatchObject({
      ...{ asset: 'bitcoin', symbol: 'BTC', sourceId: 'XXBTZUSD', currency: 'USD' },
      ...{ price: '81240.10000', volume24h: '1534.99810000', observedAt: receivedAt, observedBy: 'receiver' },
    })
  })

  it.each([
    ['XXBTZUSD', 'XXBT', 'USD'],
    ['XXBTZEUR', 'XXBT', 'EUR'],
    ['XTZUSD', 'XTZ', 'USD'],
    ['XTZEUR', 'XTZ', 'EUR'],
    ['SOLUSD', 'SOL', 'USD'],
    ['XBTUSDT', 'XBT', 'USDT'],
    ['ADAXBT', 'ADA', 'BTC'],
    ['XETHXXBT', 'XETH', 'BTC'],
  ])('reads the pair %s as %s in %s', (pair, base, currency) => {
    expect(splitPair(pair)).toEqual({ base, currency })
  })

  it('names an unknown pair by itself, and drops one without a known currency', () => {
    const parsed = parse('{"error":[],"result":{"FOOZUSD":{"c":["2.0","1"]},"BARQQQ":{"c":["3","1"]}}}')
    expect('records' in parsed && parsed.records.map(r => [r.asset, r.currency])).toEqual([
      ['kraken:FOOZUSD', 'USD'],
    ])
    expect('missing' in parsed && parsed.missing[0]?.reason).toMatch(/no currency/)
  })

  it.each([
    ['EGeneral:Too many requests', 'rate-limited', '2026-10-05T08:31:28.000Z'],
    ['EGeneral:Temporary lockout', 'rate-limited', '2026-10-05T08:46:13.000Z'],
    ['EQuery:Unknown asset pair', 'bad-request', null],
    ['EService:Unavailable', 'provider-error', null],
    ['ENew:Something', 'provider-error', null],
  ])('%s with HTTP 200 is %s', (text, outcome, retryAt) => {
    const answer = { status: 200, headers: {}, body: bytes(JSON.stringify({ error: [text] })), receivedAt }
    const verdict = kraken.datasets[0]!.judge(answer, { assets: [], currency: 'USD' })
    expect(verdict).toMatchObject({ kind: 'refused', outcome, charge: { kind: 'known', credits: 0 } })
    const at = verdict.kind === 'refused' ? verdict.retryAt : null
    expect(at === null ? null : toIso(at)).toBe(retryAt)
  })

  it('does not take a warning for an error', () => {
    const parsed = parse('{"error":["WGeneral:Danger"],"result":{"SOLUSD":{"c":["2.0","1"]}}}')
    expect('records' in parsed && parsed.records).toHaveLength(1)
  })
})
