import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isOutcome } from '../../core/outcomes.ts'
import { expectAnswer, expectNoTrace } from '../support/expectations.ts'
import { cryptosMany } from '../support/many.ts'
import { cryptos, type Ended, lastJson, root } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('cli')
afterAll(() => place[Symbol.dispose]())

let count = 0
function body(content: string | Uint8Array): string {
  const path = place.file(`body-${count++}`)
  writeFileSync(path, content)
  return path
}

const providers = ['coinmarketcap', 'kraken', 'coinbase'] as const

type Parsed = Record<string, unknown> & { readonly records?: readonly Record<string, unknown>[] }

const parse = async (args: readonly string[], stdin?: string): Promise<{ said: Ended; json: Parsed }> => {
  const said = await cryptos(['parse', ...args, '--json'], {}, stdin)
  expectNoTrace(said)
  return { said, json: lastJson(said) }
}
const fixture = (name: string): string => join(root, 'collectors', 'providers', name)

const quotes = (price: string): string =>
  `{"status":{"timestamp":"2026-10-05T08:31:12.004Z","error_code":"0","error_message":"","elapsed":6,"credit_count":1},
"data":[{"id":1,"name":"Bitcoin","symbol":"BTC","slug":"bitcoin","last_updated":"2026-10-05T08:31:00.000Z",
"quote":[{"id":2781,"symbol":"USD","price":${price},"last_updated":"2026-10-05T08:31:00.000Z"}]}]}`

describe.concurrent('cryptos parse', () => {
  it('gives the records of a good answer, with the digits of the source', async () => {
    const { said, json } = await parse(['kraken', '--file', fixture('kraken/fixtures/ticker-2026-10.json')])
    expect(said.code).toBe(0)
    expect(json.records?.map(r => [r['asset'], r['currency'], r['price']])).toEqual([
      ['bitcoin', 'USD', '81240.10000'],
      ['dogecoin', 'USD', '0.100200000'],
    ])
  })
  it('keeps digits that no float has, and reads standard input', async () => {
    for (const price of ['63141.123456789012345', '9.6e-12']) {
      const { json } = await parse(['coinmarketcap', '--file', '-'], quotes(price))
      expect(json.records).toMatchObject([{ asset: 'bitcoin', price, origin: 'replay' }])
    }
  })
  it('takes the asset of an answer that does not say it', async () => {
    const file = fixture('coinbase/fixtures/ticker-2026-10.json')
    const { json } = await parse(['coinbase', '--file', file, '--asset', 'ethereum'])
    expect(json.records).toMatchObject([{ asset: 'ethereum', price: '81240.10' }])
  })

  const bad: readonly (readonly [string, string | Uint8Array])[] = [
    ['empty', ''],
    ['a space', ' '],
    ['garbage', 'not json at all'],
    ['HTML', '<!DOCTYPE html><html><body>503 Service Unavailable</body></html>'],
    ['binary', Uint8Array.from({ length: 512 }, (_, i) => (i * 37) % 256)],
    ['a byte order mark alone', '\ufeff'],
    ['null', 'null'],
    ['a number', '42'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['cut', quotes('64000.10').slice(0, -30)],
    ['too deep', '['.repeat(100_000)],
    ['a price without limit', quotes('1e400')],
    ['a negative price', quotes('-1')],
    ['a price that is a word', quotes('"NaN"')],
    ['a price that is an object', quotes('{"toString":"1"}')],
    ['a prototype', `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`],
    ['a Kraken price without limit', '{"error":[],"result":{"XXBTZUSD":{"c":["1e400"],"v":["1","1"]}}}'],
    ['a Kraken prototype', '{"error":[],"result":{"__proto__":{"c":["1"]}}}'],
    ['a Coinbase price without limit', '{"price":"1e400","time":"2026-10-05T08:31:10.1Z","trade_id":1}'],
    [
      'a Coinbase answer from the future',
      '{"price":"1","time":"2999-01-01T00:00:00Z","trade_id":1,"volume":"1"}',
    ],
    ['a prototype as the answer', `{"status":{"__proto__":{"error_code":"0"}},"data":{"__proto__":[]}}`],
  ]
  it('tells an outcome of the closed list for nonsense of any kind, from any provider', async () => {
    const asked = bad.flatMap(([name, content]) =>
      providers.map(provider => ({
        name: `${provider}: ${name}`,
        args: ['parse', provider, '--file', body(content)],
      })),
    )
    const answers = await cryptosMany(asked)
    expect(answers).toHaveLength(asked.length)
    const wrong = answers.flatMap(({ code, json: result }, i) => {
      const isRefusal =
        isOutcome(String(result['outcome'])) && String(result['reason']).length > 5 && code !== 0
      const isEmpty = (result['records'] as unknown[] | undefined)?.length === 0 && code === 0
      return isRefusal || isEmpty ? [] : [`${asked[i]?.name}: ${JSON.stringify(result)}`]
    })
    expect(wrong).toEqual([])
    // No nonsense is a price, and hardly any passes for an answer that only has none.
    expect(answers.filter(a => a.json['records'] !== undefined).length).toBeLessThan(10)
  })
  it('judges by the status that came with it', async () => {
    const unauthorized = '{"status":{"error_code":1001,"error_message":"This API Key is invalid."}}'
    const refused = await parse(['coinmarketcap', '--file', '-', '--status', '401'], unauthorized)
    expect([refused.said.code, refused.json['outcome']]).toEqual([2, 'unauthorized'])
    const limited = await parse(['kraken', '--file', '-', '--status', '429'], '{}')
    expect([limited.said.code, limited.json['outcome']]).toEqual([1, 'rate-limited'])
  })
  it('ends a wrong command line with usage', async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['krakn', '--file', 'x'], /"krakn" is not a provider; did you mean kraken\?/],
      [['kraken', '--file', '/none/of/this'], /^--file \/none\/of\/this can not be read \(ENOENT\)/],
      [['kraken', '--file', '/tmp'], /can not be read \(EISDIR\)/],
      [['kraken', '--file', '/dev/null', '--status', '999'], /--status 999 is not an HTTP status/],
      [['kraken', '--file', '/dev/null', '--dataset', 'trades'], /has no dataset trades/],
      [['kraken'], /required option '--file <body>' not specified/],
    ]
    const answers = await cryptosMany(wrong.map(([args]) => ({ args: ['parse', ...args] })))
    for (const [index, [, sentence]] of wrong.entries()) {
      const answer = answers[index]
      if (answer) expectAnswer(answer, { exit: 2, code: 'CRY_USAGE', outcome: 'misconfigured', sentence })
    }
    expect(answers).toHaveLength(wrong.length)
  })
})

const captures = process.env['CRYPTOS_CAPTURES'] ?? ''
if (captures === '' || !existsSync(captures))
  console.warn('SKIPPED: CRYPTOS_CAPTURES names no folder, so no recorded answer is parsed')

describe.skipIf(captures === '' || !existsSync(captures))('recorded answers', { concurrent: true }, () => {
  const capture = (name: string): string => join(captures, name)

  it('has the values that stand in CoinMarketCap v3', async () => {
    const { json } = await parse([
      'coinmarketcap',
      '--file',
      capture('coinmarketcap/v3_quotes_latest_btc_paxg_2026.json'),
    ])
    expect(json.records).toMatchObject([
      {
        ...{ asset: 'bitcoin', sourceId: '1', currency: 'USD', price: '84278.77808276', supply: '20088743' },
        observedAt: Date.UTC(2026, 8, 24, 16, 2, 3) * 1_000,
      },
      { asset: 'pax-gold', sourceId: '4705', price: '4253.226063661451' },
    ])
  })
  it('has the values that stand in Kraken of 2014', async () => {
    const { json } = await parse([
      'kraken',
      '--currency',
      'EUR',
      '--file',
      capture('kraken/ticker_xbteur_2014.json'),
    ])
    expect(json.records).toMatchObject([
      { asset: 'bitcoin', sourceId: 'XXBTZEUR', currency: 'EUR', price: '560.87711' },
    ])
  })
  it('takes a refusal for one, whatever status it came with', async () => {
    const { said, json } = await parse([
      'coinmarketcap',
      '--file',
      capture('coinmarketcap/err403_1006_plan.json'),
    ])
    expect([said.code, json['outcome']]).toEqual([2, 'unauthorized'])
  })
})
