import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AssetId, Credits } from '../../../core/brands.ts'
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
    ['SOLUSD', 'SOL', 'USD'],
    ['XBTUSDT', 'XBT', 'USDT'],
    ['ADAXBT', 'ADA', 'BTC'],
    ['XETHXXBT', 'XETH', 'BTC'],
  ])('reads the pair %s as %s in %s', (pair, base, currency) => {
    expect(splitPair(pair)).toMatchObject({ base, currency })
  })

  it.each(['XTZUSD', 'XRPRLUSD', 'SOLZUSD', 'XXBTUSD', 'FOOZUSD', 'USD', 'SOL'])(
    'reads nothing from %s',
    pair => {
      expect(splitPair(pair)).toBeUndefined()
    },
  )

  it('guesses no currency of a pair that it does not know', () => {
    const row = '{"c":["2.0","1"]}'
    const parsed = parse(`{"error":[],"result":{"XRPRLUSD":${row},"FOOUSD":${row},"XXBTZEUR":${row}}}`)
    expect('records' in parsed && parsed.records.map(r => [r.asset, r.currency])).toEqual([
      ['bitcoin', 'EUR'],
    ])
    expect('missing' in parsed && parsed.missing.map(m => [m.asset, m.reason])).toEqual([
      ['kraken:XRPRLUSD', 'nothing tells the currency of XRPRLUSD'],
      ['kraken:FOOUSD', 'nothing tells the currency of FOOUSD'],
    ])
  })

  it.each([
    // Named by hand: nobody says what its base is.
    ['kraken:XRPRLUSD', 'XRPRLUSD', 'XRPRLUSD', undefined],
    // Added to the table, with its symbol.
    ['ripple', 'XRP', 'XRPRLUSD', undefined],
    ['xion', 'XION', 'XIONUSD', 'USD'],
    ['zcash', 'ZEC', 'XZECZUSD', 'USD'],
    ['tezos', 'XTZ', 'XTZUSD', 'USD'],
    ['tezos', 'XTZ', 'XTZ', undefined],
  ])('takes the price of the asked %s (%s, %s) in %s', (asset, symbol, sourceId, currency) => {
    const page = { assets: [{ asset: AssetId(asset), symbol, sourceId }], currency: 'USD' }
    const { records, missing } = kraken.datasets[0]!.map(
      bytes(`{"error":[],"result":{"${sourceId}":{"c":["2.0","1"]}}}`),
      {
        ...{ provider: kraken.id, dataset: 'quotes', page, origin: 'live' },
        ...{ runId: 'r', receivedAt, revision: 0, credits: Credits(0), rawRef: 'x' },
      },
    )
    expect(records.map(r => r.currency)).toEqual(currency === undefined ? [] : [currency])
    expect(missing.map(m => m.sourceId)).toEqual(currency === undefined ? [sourceId] : [])
  })

  it('has no price of a pair that the answer holds twice, nor of a row that has a name twice', () => {
    const parsed = parse(
      '{"error":[],"result":{"SOLUSD":{"c":["2","1"]},"ADAUSD":{"c":["3","1"]},"SOLUSD":{"c":["4","1"]},"DOTUSD":{"c":["5","1"],"c":["6","1"]}}}',
    )
    expect('records' in parsed && parsed.records.map(r => [r.sourceId, r.price])).toEqual([['ADAUSD', '3']])
    expect('missing' in parsed && parsed.missing.map(m => [m.sourceId, m.reason])).toEqual([
      ['SOLUSD', 'two rows with different prices'],
      ['DOTUSD', '$.result.DOTUSD: wanted each name once, got an object'],
    ])
    const twice = '{"error":[],"result":{"SOLUSD":{"c":["2","1"]}},"result":{"SOLUSD":{"c":["4","1"]}}}'
    expect(parse(twice)).toMatchObject({ outcome: 'payload-invalid' })
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
