import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toCryptosError } from '../core/errors.ts'
import { parseIso } from '../core/time.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import { type ParsedBody, parseBody } from './parse-body.ts'
import type { Dataset, Provider } from './provider.ts'
import { providerById, providers } from './registry.ts'

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

  it('CoinMarketCap map: the coins of one ticker, live and gone', () => {
    const body = readFileSync(join(folder ?? '', 'coinmarketcap', 'v1_map_symbol_btc_duplicates_2026.json'))
    const { catalog } = providerById('coinmarketcap') ?? {}
    const answer = { status: 200, headers: {}, body, receivedAt }
    expect(catalog?.judge(answer)).toEqual({ kind: 'answered', charge: { kind: 'known', credits: 0 } })
    expect(catalog?.read(body).map(e => [e.sourceId, e.symbol, e.name, e.rank, e.isActive])).toEqual([
      ['1', 'BTC', 'Bitcoin', 1, true],
      ['38552', 'BTC', 'Bitcoin Base', 3282, true],
      ['38692', 'BTC', 'Bitcoin Second Chance', 3359, true],
      ['38133', 'BTC', 'Bitcoin AI', 3496, true],
      ['30938', 'BTC', 'Satoshi Pumpomoto', undefined, false],
      ['31652', 'BTC', 'batcat', undefined, false],
      ['4705', 'PAXG', 'PAX Gold', 44, true],
    ])
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

/** File → the test that reads it; a file that nobody reads fails below. */
const readBy: Readonly<Record<string, string>> = {
  'binance/aggtrade_all_binance_venues.jsonl': 'collectors/providers/binance/judge.test.ts',
  'bitcoinaverage/apiv2_ticker_btcusd_2018.json':
    'collectors/providers/bitcoinaverage/bitcoinaverage.test.ts',
  'coinbase/ticker_match_20210417.jsonl': 'collectors/captures.test.ts',
  'coindesk/bpi_historical_close_aud.json': 'collectors/providers/coindesk/coindesk.test.ts',
  'coindesk/dataapi_index_cc_v1_latest_tick_full.json': 'collectors/providers/coindesk/coindesk.test.ts',
  'coinmarketcap/err403_1006_plan.json': 'collectors/captures.test.ts',
  'coinmarketcap/err500_system_busy_string_code.json': 'collectors/captures.test.ts',
  'coinmarketcap/key_info_basic_2026-09-24.json': 'collectors/captures.test.ts',
  'coinmarketcap/v1_map_symbol_btc_duplicates_2026.json': 'collectors/captures.test.ts',
  'coinmarketcap/v2_quotes_latest_by_id.json': 'collectors/captures.test.ts',
  'coinmarketcap/v2_simple_price_2026.json': 'collectors/captures.test.ts',
  'coinmarketcap/v3_quotes_latest_btc_paxg_2026.json': 'collectors/captures.test.ts',
  'coinpaprika/global.json': 'collectors/providers/coinpaprika/coinpaprika.test.ts',
  'finnhub/messages.jsonl': 'collectors/captures.test.ts',
  'kraken/ticker_xbteur_2014.json': 'collectors/captures.test.ts',
}

const root = join(import.meta.dirname, '..')

describe('the table of captures', () => {
  // Also without the folder: a test that was moved or stopped naming its file is seen here.
  it.each(Object.entries(readBy))('%s is named by %s', (file, test) => {
    // The table itself is no reader.
    const lines = readFileSync(join(root, test), 'utf8').split('\n')
    const code = lines.filter(line => !/^ {2}'.*': *('.*',)?$/.test(line)).join('\n')
    expect(code.includes(file.slice(file.indexOf('/') + 1))).toBe(true)
  })

  it.skipIf(!folder)('has every file of the folder', () => {
    const found = readdirSync(folder ?? '', { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name !== 'README.md')
      .map(entry => `${entry.parentPath.slice((folder ?? '').length + 1)}/${entry.name}`)
    expect(found.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(Object.keys(readBy))
  })
})

/** What one dataset makes of bytes that are not its own: the outcome, or the records it took them for. */
function told(provider: Provider, dataset: Dataset, body: Uint8Array): string | readonly unknown[] {
  const page = pagesOf(dataset, knownAssetRefs(provider), provider.currencies?.[0] ?? 'USD')[0] ?? {
    ...{ assets: [], currency: 'USD' },
  }
  const range = dataset.history ? { range: { from: parseIso('2009-02-01T00:00:00Z'), to: receivedAt } } : {}
  const asked = { ...page, ...range }
  const verdict = dataset.judge({ status: 200, headers: {}, body, receivedAt }, asked)
  if (verdict.kind === 'refused') return verdict.outcome
  try {
    const by = { runId: 'r', receivedAt, revision: 0, credits: dataset.costMax(asked), rawRef: 'raw' }
    const context = {
      provider: provider.id,
      dataset: dataset.id,
      page: asked,
      origin: 'replay',
      ...by,
    } as const
    const { records, metrics = [] } = dataset.map(body, context)
    return [...records.map(r => [r.sourceId, r.price]), ...metrics]
  } catch (error) {
    return toCryptosError(error).code
  }
}

/** The frames of a file of lines: the whole file, each line, and what each line says was received. */
function framesOf(file: string): readonly Buffer[] {
  const whole = readFileSync(join(folder ?? '', file))
  const lines = whole.toString().split('\n').filter(Boolean)
  const inner = lines.flatMap(line => {
    const { raw } = JSON.parse(line) as { raw?: unknown }
    return typeof raw === 'string' ? [raw] : []
  })
  return [whole, ...[...lines, ...inner].map(text => Buffer.from(text))]
}

const refusals: readonly unknown[] = ['transport-error', 'provider-error', 'CRY_PROVIDER_PAYLOAD']

describe.skipIf(!folder)('frames of streams are no answer of any dataset', () => {
  const files = [
    'finnhub/messages.jsonl',
    'coinbase/ticker_match_20210417.jsonl',
    'binance/aggtrade_all_binance_venues.jsonl',
  ]
  const datasets = providers.flatMap(p => p.datasets.map(d => [`${p.id} ${d.id}`, p, d] as const))
  it.each(files.flatMap(file => datasets.map(([name, p, d]) => [file, name, p, d] as const)))(
    '%s to %s',
    (file, _, provider, dataset) => {
      const frames = framesOf(file)
      expect(frames.length).toBeGreaterThan(3)
      for (const frame of frames) {
        const found = told(provider, dataset, frame)
        // A frame of Coinbase's own ticker has the very members of its answer, and says which product it is about.
        if (typeof found !== 'string' && provider.id === providerById('coinbase')?.id) expectOwn(frame, found)
        else expect(refusals, `${frame.toString().slice(0, 80)} → ${JSON.stringify(found)}`).toContain(found)
      }
    },
  )
})

describe.skipIf(!folder)('an answer of one provider is none of another', () => {
  const files = Object.keys(readBy).filter(file => file.endsWith('.json'))
  it.each(files)('%s', file => {
    const body = readFileSync(join(folder ?? '', file))
    for (const provider of providers.filter(p => !file.startsWith(`${p.id}/`)))
      for (const dataset of provider.datasets) {
        const found = told(provider, dataset, body)
        expect(typeof found, `${provider.id} ${dataset.id}: ${JSON.stringify(found)}`).toBe('string')
      }
  })
})

function expectOwn(frame: Buffer, found: readonly unknown[]): void {
  const { product_id: product, price } = JSON.parse(frame.toString()) as { product_id: string; price: string }
  expect(found).toEqual([[product, price]])
}
