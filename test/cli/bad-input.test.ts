import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { expectAnswer, expectJson, expectSentence, type Refusal } from '../support/expectations.ts'
import { databases } from '../support/machine.ts'
import { cryptosMany } from '../support/many.ts'
import { cryptos, type Env, lastJson } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

interface Case extends Refusal {
  readonly name: string
  readonly args: readonly string[]
  readonly env?: Env
}

const place = scratch('cli')
const taken = createServer()
let sandbox: Sandbox
let before: Record<string, string>
const data = place.file('data')
let env: Env

beforeAll(async () => {
  sandbox = await startSandbox({ clock: systemClock, keys: ['the-key-of-somebody-else'] })
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  writeFileSync(place.file('file'), '')
  writeFileSync(place.file('open-key'), 'canary-5a1e-0123456789')
  chmodSync(place.file('open-key'), 0o644)
  mkdirSync(place.file('folder'))
  env = { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url, CRYPTOS_DATA_DIR: data }
  expect((await cryptos(['collect', 'kraken', '--now'], env)).code).toBe(0)
  before = databases(data)
  expect(Object.keys(before)).toHaveLength(2)
})
afterAll(async () => {
  await sandbox.close()
  taken.close()
  place[Symbol.dispose]()
})

const cases: readonly Case[] = [
  {
    name: 'a key file that is not there',
    args: ['collect', 'coinmarketcap'],
    env: { COINMARKETCAP_API_KEY_FILE: place.file('none') },
    ...{ exit: 2, code: 'CRY_SECRET_FILE' },
    sentence: /^COINMARKETCAP_API_KEY_FILE: .*none can not be read \(ENOENT\): correct the path/,
  },
  {
    name: 'a key file that others can read',
    args: ['collect', 'coinmarketcap'],
    env: { COINMARKETCAP_API_KEY_FILE: place.file('open-key') },
    ...{ exit: 2, code: 'CRY_SECRET_FILE' },
    sentence: /open-key can be read by others: chmod 600 it$/,
  },
  {
    name: 'a run without a slot',
    args: ['collect', 'kraken', '--run', 'manual'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^--run names a run of a slot: give the slot too, by --slot$/,
  },
  {
    name: 'a run with a control character',
    args: ['collect', 'kraken', '--slot', '2026-11-21T12:00:00Z', '--run', 'a\u001bb'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^--run takes 1 to 250 characters, none of them a control character$/,
  },
  {
    name: 'a wish not to ask, and to ask',
    args: ['collect', 'kraken', '--now', '--if-due'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^--now is for not asking whether it is due: leave out --if-due$/,
  },
  {
    name: 'two slots',
    args: ['collect', 'kraken', '--now', '--slot', '2026-11-21T12:00:00Z'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^--now and --slot name two slots: give one$/,
  },
  {
    name: 'a spender that is too long',
    args: ['collect', 'kraken', '--spender', 'd'.repeat(301)],
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence:
      /^--spender can not be .*: a name and a run such as collect_kraken\/run-1 is wanted, of at most 300/,
  },
  {
    name: 'a spender with a line break',
    args: ['collect', 'kraken'],
    env: { CRYPTOS_SPENDER: 'dag\nrun' },
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence: /^CRYPTOS_SPENDER can not be .*none of them a control character$/,
  },
  {
    name: 'an unknown asset',
    args: ['collect', 'kraken', '--assets', 'bitcion'],
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence: /"bitcion" is not a known asset; did you mean bitcoin\?/,
  },
  {
    name: 'an unknown provider',
    args: ['collect', 'krakn'],
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence: /^"krakn" is not a provider; did you mean kraken\?/,
  },
  {
    name: 'an unknown command',
    args: ['collct', 'kraken'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^unknown command 'collct'; did you mean collect\?$/,
  },
  {
    name: 'an unknown part of a command',
    args: ['quota', 'freze'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^quota has no command 'freze'; did you mean freeze\?/,
  },
  {
    name: 'an unknown option',
    args: ['collect', 'kraken', '--drry-run'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^unknown option '--drry-run'; did you mean --dry-run\?$/,
  },
  {
    name: 'a missing argument',
    args: ['collect'],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^missing required argument 'provider'$/,
  },
  {
    name: 'an unknown setting',
    args: ['quota', 'status'],
    env: { CRYPTOS_PROT: '1' },
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence: /^CRYPTOS_PROT is not a setting; did you mean CRYPTOS_PORT\?$/,
  },
  {
    name: 'a data folder below a file',
    args: ['collect', 'kraken'],
    env: { CRYPTOS_DATA_DIR: place.file('file/x') },
    ...{ exit: 2, code: 'CRY_STORE_UNWRITABLE' },
    sentence: /can not be written \(ENOTDIR\): correct its permissions or set CRYPTOS_DATA_DIR$/,
  },
  {
    name: 'an export to a folder that is not there',
    args: ['export', '--out', place.file('none/x.csv')],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /^--out .*x\.csv can not be written \(ENOENT\)/,
  },
  {
    name: 'an export onto a folder',
    args: ['export', '--out', place.file('folder')],
    ...{ exit: 2, code: 'CRY_USAGE' },
    sentence: /can not be written \(EISDIR\)/,
  },
  {
    name: 'a clock file that is not there',
    args: ['collect', 'kraken'],
    env: { CRYPTOS_SANDBOX_CLOCK_FILE: place.file('none') },
    ...{ exit: 2, code: 'CRY_CONFIG_INVALID' },
    sentence: /^CRYPTOS_SANDBOX_CLOCK_FILE: .*none is not a clock file \(ENOENT\)$/,
  },
]

describe.concurrent('bad input ends with one sentence and what to do, and nothing lost', () => {
  it.each(cases)('$name', async ({ args, env: more, ...refusal }) => {
    const all = { ...env, ...more }
    const calls = sandbox.meter.entries().length
    expectSentence(await cryptos(args, all), refusal)
    expect(sandbox.meter.entries().length).toBe(calls)
    expect(databases(data)).toMatchObject(before)
  })
})

describe('bad input with --json', () => {
  it('ends with an outcome of the closed list, the reason, the code and what to do', async () => {
    const answers = await cryptosMany(cases.map(c => ({ args: c.args, env: { ...env, ...c.env } })))
    expect(answers).toHaveLength(cases.length)
    for (const [index, { exit, code, sentence }] of cases.entries()) {
      const answer = answers[index]
      if (answer) expectAnswer(answer, { exit, code, sentence, outcome: 'misconfigured' })
    }
    expect(databases(data)).toMatchObject(before)
  })
  it('does so when it is the real program too', async () => {
    const said = await cryptos(['collct', '--json'], env)
    expect([said.code, said.stderr, said.stdout.split('\n').length]).toEqual([2, '', 2])
    expect(lastJson(said)).toMatchObject({ outcome: 'misconfigured', code: 'CRY_USAGE' })
  })
})

describe('a port in use', () => {
  it('ends `up` with its number and how to choose another', async () => {
    const { port } = taken.address() as AddressInfo
    const own = { ...env, CRYPTOS_DATA_DIR: place.file('port') }
    const refusal: Refusal = {
      ...{ exit: 2, code: 'CRY_PORT_IN_USE' },
      sentence: new RegExp(`^port ${port} is in use: choose another with --port or CRYPTOS_PORT$`),
    }
    expectSentence(await cryptos(['up', '--port', String(port)], own), refusal)
    expectJson(await cryptos(['up', '--port', String(port), '--json'], own), refusal)
  })
})

describe('a key that the provider does not know', () => {
  it('ends with 2, one sentence and what to do; it is asked for usage, then for prices, and then no more', async () => {
    const own = { ...env, CRYPTOS_DATA_DIR: place.file('key') }
    const text = await cryptos(['collect', 'coinmarketcap', '--now'], own)
    expect(text.stderr.split('\n').filter(line => line !== '')).toEqual([
      expect.stringMatching(
        /^unauthorized: CoinMarketCap error 1001 \(HTTP 401\): This API Key is invalid\.$/,
      ),
      expect.stringMatching(/^ {2}Put a valid key into the file that the variable of this provider names/),
    ])
    expect([text.code, text.stdout]).toEqual([2, ''])
    const calls = sandbox.meter.entries().filter(e => e.provider === 'coinmarketcap')
    expect(calls).toMatchObject([{ keyIn: 'header', credits: 0, result: 'refused' }])
    const again = async (): Promise<unknown[]> => {
      const said = await cryptos(['collect', 'coinmarketcap', '--json'], own)
      return [said.code, lastJson(said)['outcome']]
    }
    expect(await again()).toEqual([2, 'unauthorized'])
    expect(await again()).toEqual([1, 'backing-off'])
    expect(sandbox.meter.entries().filter(e => e.provider === 'coinmarketcap')).toHaveLength(2)
  })
  it('is an outcome of the closed list with --json', async () => {
    const own = { ...env, CRYPTOS_DATA_DIR: place.file('key-json') }
    const said = await cryptos(['collect', 'coinmarketcap', '--now', '--json'], own)
    expect([said.code, said.stderr]).toEqual([2, ''])
    expect(lastJson(said)).toMatchObject({ outcome: 'unauthorized', credits: 0, records: 0 })
  })
})

describe('a line without a command', () => {
  it('teaches, and is a usage error', async () => {
    const said = await cryptos([], env)
    expect([said.code, said.stdout]).toEqual([2, ''])
    expect(said.stderr).toContain('First steps')
    const json = await cryptos(['--json'], env)
    expect(lastJson(json)).toMatchObject({ outcome: 'misconfigured', reason: 'no command is named' })
  })
})
