import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../app/config/load.ts'
import { expectAnswer, expectJson } from '../support/expectations.ts'
import { cryptosMany } from '../support/many.ts'
import { cryptos, type Ended, lastJson } from '../support/program.ts'
import { useSandbox } from '../support/simulated.ts'

const simulated = useSandbox('cli')
const { env } = simulated

const quota = (folder: string, ...args: string[]): Promise<Ended> => cryptos(['quota', ...args], env(folder))

interface Scope {
  readonly provider: string
  readonly scope: string
  readonly frozen: string | null
  readonly windows: readonly { window: string; used: number; limit: number | null; left: number | null }[]
}
const scopesOf = (said: Ended): readonly Scope[] => lastJson(said)['scopes'] as readonly Scope[]

describe.concurrent('cryptos quota', () => {
  it('status tells people and programs the same', async () => {
    await cryptos(['collect', 'coinmarketcap', '--now'], env('status'))
    const [text, json] = await Promise.all([quota('status', 'status'), quota('status', 'status', '--json')])
    expect([text.code, json.code, text.stderr, json.stderr]).toEqual([0, 0, '', ''])
    const scope = scopesOf(json).find(s => s.provider === 'coinmarketcap')
    const month = scope?.windows.find(w => w.window === 'month')
    expect(month).toMatchObject({ used: 1, limit: 15_000, left: 14_999 })
    expect(scope?.scope).toMatch(/^key:[0-9a-f]{16}$/)
    expect(text.stdout).toContain(`coinmarketcap ${scope?.scope} (plan `)
    expect(text.stdout).toMatch(/month {2}used 1, reserved 0, of 15,000, 14,999 left; resets at 2\d{3}-/)
    expect((await quota('status')).stdout).toContain('of 15,000')
  })
  it('says so where nothing has been used', async () => {
    const said = await quota('empty', 'status')
    expect([said.code, said.stdout]).toEqual([0, 'No key or host has been used yet.\n'])
    expect(scopesOf(await quota('empty', 'status', '--json'))).toEqual([])
  })
  it('freeze stops collecting at once, before any key was used too; unfreeze lets it go on', async () => {
    const calls = (): number =>
      simulated.sandbox.meter.entries().filter(e => e.endpoint.includes('BTC-USD')).length
    const frozen = await quota('frozen', 'freeze', '--reason', 'bill not paid', '--json')
    expect([frozen.code, lastJson(frozen)]).toEqual([0, { frozen: 'all', reason: 'bill not paid' }])
    expect(scopesOf(await quota('frozen', 'status', '--json')).map(s => s.frozen)).toEqual(
      loadConfig({}).providers.map(() => 'bill not paid'),
    )
    expect((await quota('frozen', 'status')).stdout).toContain('FROZEN: bill not paid')
    const collect = ['collect', 'coinbase', '--now', '--assets', 'bitcoin']
    const text = await cryptos(collect, env('frozen'))
    expect([text.code, text.stderr]).toEqual([99, ''])
    expect(text.stdout).toMatch(/^frozen: .*bill not paid\n {2}cryptos quota unfreeze lets spending go on\n$/)
    const json = lastJson(await cryptos([...collect, '--json'], env('frozen')))
    expect(json).toMatchObject({ outcome: 'frozen', credits: 0, records: 0 })
    expect(calls()).toBe(0)
    const unfrozen = await quota('frozen', 'unfreeze', '--json')
    expect([unfrozen.code, lastJson(unfrozen)]).toEqual([0, { unfrozen: 'all' }])
    expect((await cryptos(collect, env('frozen'))).code).toBe(0)
    expect(calls()).toBe(1)
    const events = lastJson(await quota('frozen', 'history', '--json'))['events'] as readonly {
      what: string
    }[]
    const whats = events.map(e => e.what)
    expect(whats.indexOf('settled')).toBeLessThan(whats.indexOf('unfrozen'))
    expect(whats.lastIndexOf('unfrozen')).toBeLessThan(whats.indexOf('frozen'))
    const history = await quota('frozen', 'history', '--limit', '3')
    expect(history.stdout.trimEnd().split('\n')).toHaveLength(3)
    expect(history.stdout).toMatch(/^2\d{3}-.*Z #\d+ coinbase \w+/)
  })
  it('freezes one key or host alone', async () => {
    await cryptos(['collect', 'kraken', '--now'], env('one'))
    expect((await quota('one', 'freeze', '--scope', 'ip:api.kraken.com')).code).toBe(0)
    const slot = ['--slot', '2026-01-01T00:00:00Z']
    const stopped = await cryptos(['collect', 'kraken', ...slot, '--json'], env('one'))
    expect([stopped.code, lastJson(stopped)['outcome']]).toEqual([99, 'frozen'])
    const other = await cryptos(['collect', 'coinbase', '--now', '--assets', 'ethereum'], env('one'))
    expect(other.code).toBe(0)
    const wrong = await quota('one', 'freeze', '--scope', 'ip:api.krakn.com', '--json')
    expectJson(wrong, { exit: 2, code: 'CRY_USAGE', sentence: /ip:api\.krakn\.com is not in the ledger/ })
  })
  it('what-if answers before a deploy', async () => {
    const [text, json, can] = await Promise.all([
      quota('x', 'what-if', '--assets', '40', '--every', '60s'),
      quota('x', 'what-if', '--assets', '40', '--every', '60s', '--json'),
      quota('x', 'what-if', '--assets', '40', '--every', '5m'),
    ])
    const sentence = '40 coins every 60 s on basic-2026: 3.0x too much; the best possible interval is 179 s'
    expect([text.code, text.stdout]).toEqual([0, `${sentence}\n`])
    expect(lastJson(json)).toMatchObject({ sentence })
    expect([can.code, can.stdout]).toEqual([0, expect.not.stringContaining('too much')])
  })
  it('tells usage errors', async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['what-if', '--assets', 'x', '--every', '60s'], /^--assets takes a whole number from 1$/],
      [['what-if', '--assets', '4', '--every', '60'], /^--every: "60" has no unit: write 60s/],
      [['what-if', '--assets', '4', '--every', '60s', '--plan', 'gold'], /^--plan: /],
      [['history', '--limit', '0'], /^--limit takes a whole number from 1 to 10000$/],
    ]
    const answers = await cryptosMany(wrong.map(([args]) => ({ args: ['quota', ...args], env: env('x') })))
    for (const [index, [, sentence]] of wrong.entries()) {
      const answer = answers[index]
      if (answer) expectAnswer(answer, { exit: 2, code: 'CRY_USAGE', sentence })
    }
    expect(answers).toHaveLength(wrong.length)
  })
})
