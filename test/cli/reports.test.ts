import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { cryptos, lastJson } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('reports')
afterAll(() => place[Symbol.dispose]())
const env = { CRYPTOS_DATA_DIR: place.file('data') }
const bad = { ...env, CRYPTOS_PORT: 'abc', COINMARKETCAP_API_KEY_FILE: place.file('none') }

describe('a report of what is wrong', () => {
  it('comes from doctor on stdout, with bad settings and keys beside all else', async () => {
    const said = await cryptos(['doctor'], bad)
    expect([said.code, said.stderr]).toEqual([2, ''])
    const lines = said.stdout.trimEnd().split('\n')
    expect(lines.filter(line => line.startsWith('BAD '))).toEqual([
      'BAD  setting: CRYPTOS_PORT can not be "abc": a whole number from 0 to 65535 is wanted',
      expect.stringMatching(/^BAD {2}key: COINMARKETCAP_API_KEY_FILE: .*none can not be read \(ENOENT\)/),
    ])
    expect(lines).toContain(`ok   data folder: ${place.file('data')} is writable`)
    const json = await cryptos(['doctor', '--json'], bad)
    expect([json.code, lastJson(json)]).toMatchObject([2, { outcome: 'misconfigured', ok: false }])
  })
  it('comes from config show too, with the values that are right', async () => {
    const said = await cryptos(['config', 'show'], { ...bad, CRYPTOS_CURRENCY: 'EUR' })
    expect([said.code, said.stderr]).toEqual([2, ''])
    expect(said.stdout).toContain('CRYPTOS_CURRENCY=EUR\n')
    expect(said.stdout.match(/^BAD {2}/gm)).toHaveLength(2)
    const assets = await cryptos(['assets'], { CRYPTOS_ASSETS: 'bitcion' })
    expect([assets.code, assets.stdout]).toEqual([0, expect.stringContaining('bitcoin')])
  })
  it('is no error: one of those is on stderr still', async () => {
    const said = await cryptos(['quota', 'status'], bad)
    expect([said.code, said.stdout]).toEqual([2, ''])
    expect(said.stderr).toMatch(/^CRYPTOS_PORT can not be "abc"/)
  })
})

describe('what was given as an option', () => {
  it.each([
    [['up', '--port', 'abc'], /^--port can not be "abc": a whole number/],
    [['collect', 'kraken', '--assets', 'bitcion'], /^--assets: "bitcion" is not a known asset/],
    [['quota', 'status', '--source', 'lve'], /^--source can not be "lve": one of auto, live, sandbox/],
    [['sandbox', '--prices', '/none/of/this'], /^--prices: \/none\/of\/this can not be read \(ENOENT\)/],
    [['quota', 'what-if', '--assets', '4', '--every', '0s'], /^--every takes a duration above zero/],
    [
      ['quota', 'what-if', '--assets', '4', '--every', '1m', '--plan', 'gold', '--provider', 'kraken'],
      /^--plan: Kraken has no plan "gold" \(there is keyless\)/,
    ],
    [['export', '--from', 'noon'], /^--from: "noon" is not a time such as .* or -6h/],
    [['export', '--json'], /^--json needs --out/],
  ])('is what the complaint about it names: %j', async (args, sentence) => {
    const said = await cryptos([...args, '--json'], env)
    expect([said.code, lastJson(said)['reason']]).toEqual([2, expect.stringMatching(sentence)])
  })
  it('may be a time as the web API takes it', async () => {
    const said = await cryptos(['export', '--from', '-6h', '--to', 'now'], env)
    expect([said.code, said.stdout.split(',')[0]]).toEqual([0, 'provider'])
  })
})

describe('an answer that does not say which asset it is about', () => {
  const body = place.file('ticker.json')
  const price = '{"price":"81240.10","time":"2026-10-05T08:31:10.1Z","trade_id":1,"volume":"1"}'
  it('is not guessed: one sentence, and an outcome', async () => {
    writeFileSync(body, price)
    const said = await cryptos(['parse', 'coinbase', '--file', body, '--json'], env)
    expect([said.code, lastJson(said)]).toMatchObject([
      2,
      { outcome: 'misconfigured', reason: expect.stringMatching(/does not say which asset.*--asset$/) },
    ])
    const named = await cryptos(['parse', 'coinbase', '--file', body, '--asset', 'bitcoin', '--json'], env)
    expect(lastJson(named)['records']).toMatchObject([{ asset: 'bitcoin', price: '81240.10' }])
  })
  it('is judged all the same where it is a refusal', async () => {
    writeFileSync(body, '{"message":"Public rate limit exceeded"}')
    const said = await cryptos(['parse', 'coinbase', '--file', body, '--status', '429', '--json'], env)
    expect(lastJson(said)['outcome']).toBe('rate-limited')
  })
})
