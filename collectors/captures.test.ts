import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { type ParsedBody, parseBody } from './parse-body.ts'
import { providerById } from './registry.ts'

const folder = process.env['CRYPTOS_CAPTURES']
if (!folder)
  console.warn('SKIPPED: real answers of providers are not read; set CRYPTOS_CAPTURES to their folder')

const receivedAt = parseIso('2026-11-21T12:00:00Z')

function parse(provider: string, file: string, status = 200): ParsedBody {
  const found = providerById(provider)
  if (!found) throw new Error(provider)
  return parseBody(found, readFileSync(join(folder ?? '', provider, file)), { receivedAt, status })
}

const prices = (parsed: ParsedBody): unknown =>
  'records' in parsed
    ? parsed.records.map(r => [r.asset, r.currency, r.price, r.marketCap, r.volume24h, r.supply, r.change24h])
    : parsed

describe.skipIf(!folder)('real answers, values read by hand', () => {
  it('CoinMarketCap v3', () => {
    const parsed = parse('coinmarketcap', 'v3_quotes_latest_btc_paxg_2026.json')
    expect(prices(parsed)).toEqual([
      [
        ...['bitcoin', 'USD', '84278.77808276', '1693054713258.5984', '38798640780.17559', '20088743'],
        '0.71749051',
      ],
      [
        ...[
          'pax-gold',
          'USD',
          '4253.226063661451',
          '1849743426.8168826',
          '224109937.5151175',
          '434903.623539',
        ],
        '-0.61880056',
      ],
    ])
    // The coins say 16:02:00 and 16:03:00; the quotes are of 16:02:03.
    const times = 'records' in parsed ? parsed.records.map(r => r.observedAt) : []
    expect(times).toEqual([parseIso('2026-09-24T16:02:03Z'), parseIso('2026-09-24T16:02:03Z')])
  })

  it('CoinMarketCap v2 by id', () => {
    expect(prices(parse('coinmarketcap', 'v2_quotes_latest_by_id.json'))).toEqual([
      [
        ...['bitcoin', 'USD', '21864.74930690019', '416935209390.64685', '50466092571.5209', '19068831'],
        '2.66543925',
      ],
    ])
  })

  it('CoinMarketCap simple/price', () => {
    expect(prices(parse('coinmarketcap', 'v2_simple_price_2026.json'))).toEqual([
      ['bitcoin', 'USD', '84278.77808276', undefined, undefined, undefined, undefined],
      ['pax-gold', 'USD', '4253.226063661451', undefined, undefined, undefined, undefined],
    ])
  })

  it('CoinMarketCap errors, with and without their HTTP status', () => {
    for (const status of [200, 403])
      expect(parse('coinmarketcap', 'err403_1006_plan.json', status)).toEqual({
        outcome: 'unauthorized',
        reason: `CoinMarketCap error 1006 (HTTP ${status}): Your API Key subscription plan doesn't support this endpoint.`,
      })
    for (const status of [200, 500])
      expect(parse('coinmarketcap', 'err500_system_busy_string_code.json', status)).toMatchObject({
        outcome: 'provider-error',
      })
  })

  it('good answers of other endpoints are no quotes', () => {
    for (const file of ['key_info_basic_2026-09-24.json', 'v1_map_symbol_btc_duplicates_2026.json'])
      expect(parse('coinmarketcap', file)).toMatchObject({ outcome: 'payload-invalid' })
  })

  it('CoinMarketCap key/info', () => {
    const body = readFileSync(join(folder ?? '', 'coinmarketcap', 'key_info_basic_2026-09-24.json'))
    expect(providerById('coinmarketcap')?.usage?.read(body, receivedAt)).toMatchObject({
      limits: { creditsPerMonth: 15_000, creditsPerDay: null, callsPerMinute: 50 },
      monthUsed: 0,
      dayUsed: 0,
      monthResetsAt: parseIso('2026-10-01T00:00:00Z'),
    })
  })

  it('Kraken', () => {
    expect(prices(parse('kraken', 'ticker_xbteur_2014.json'))).toEqual([
      ['bitcoin', 'EUR', '560.87711', undefined, '600.91850325', undefined, undefined],
    ])
  })

  it('Coinbase: a file of websocket frames is no answer of the ticker', () => {
    expect(parse('coinbase', 'ticker_match_20210417.jsonl')).toMatchObject({ outcome: 'transport-error' })
  })
})
