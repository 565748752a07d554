import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { cryptos, cryptosLine, type Env, lastJson, startLine } from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('sources')
let sandbox: Sandbox
const env = (folder: string, more: Env = {}): Env => ({ CRYPTOS_DATA_DIR: place.file(folder), ...more })
const simulated = ['--source', 'sandbox'] as const

beforeAll(async () => {
  sandbox = await startSandbox({ clock: systemClock })
})
afterAll(async () => {
  await sandbox.close()
  place[Symbol.dispose]()
})

describe('a command that looks at a store', () => {
  const isoMicros = /^2\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/

  beforeAll(async () => {
    const said = await cryptos(['collect', 'kraken', '--now', ...simulated], env('first'))
    expect([said.code, said.stderr]).toEqual([0, ''])
  })
  it('looks where the first `collect` put its prices', async () => {
    const said = await cryptos(['quota', 'status', '--json'], env('first'))
    const [scope] = lastJson(said)['scopes'] as { provider: string; windows: { resetsAt: string }[] }[]
    expect([said.code, scope?.provider, said.stderr]).toEqual([0, 'kraken', ''])
    expect(scope?.windows[0]?.resetsAt).toMatch(isoMicros)
    const { events } = lastJson(await cryptos(['quota', 'history', '--json'], env('first'))) as {
      events: { at: string; resetsAt: string }[]
    }
    for (const event of events)
      expect([event.at, event.resetsAt].join(' ')).toMatch(/^\S+\.\d{6}Z \S+\.\d{6}Z$/)
  })
  it.each([
    [['quota', 'status']],
    [['quota', 'history']],
    [['quota', 'freeze']],
    [['quota', 'unfreeze']],
    [['topics', 'list']],
    [['topics', 'tail', 'market.quotes.v1']],
    [['dlq', 'list']],
    [['export']],
    [['audit']],
    [['publish']],
  ])('%j takes --source, and says that another store has the data; not with --json', async args => {
    const people = await cryptos([...args, '--source', 'live'], env('first'))
    expect([people.code, people.stderr]).toEqual([
      0,
      `looking at ${place.file('first/live')} (no data there yet; --source sandbox has some)\n`,
    ])
    const out = args[0] === 'export' ? ['--out', place.file('prices.csv')] : []
    const program = await cryptos([...args, ...out, '--source', 'live', '--json'], env('first'))
    expect([program.code, program.stderr]).toEqual([0, ''])
  })
  it('refuses a topic that this version does not write', async () => {
    const said = await cryptos(['topics', 'tail', 'vwap', '--json'], env('first'))
    expect([said.code, lastJson(said)['code']]).toEqual([2, 'CRY_USAGE'])
    const list = await cryptos(['topics', 'list'], env('first'))
    expect(
      list.stdout
        .trim()
        .split('\n')
        .map(line => line.split(' ')[0]),
    ).toEqual(usedTopics(topicTable()).map(topic => topic.name))
  })
})

describe('a freeze', () => {
  it('takes a provider or a host for its scope, and lists what there is for anything else', async () => {
    const own = env('freeze', { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url })
    const freeze = (scope: string) => cryptos(['quota', 'freeze', '--scope', scope, '--json'], own)
    for (const scope of ['kraken', 'api.kraken.com', 'ip:api.kraken.com'])
      expect(lastJson(await freeze(scope))).toMatchObject({ frozen: 'ip:api.kraken.com' })
    const wrong = await freeze('krakn')
    expect([wrong.code, lastJson(wrong)['reason']]).toEqual([
      2,
      expect.stringMatching(
        /^--scope: krakn is not in the ledger; did you mean kraken\? \(there are .*ip:api\.kraken\.com/,
      ),
    ])
    const thawed = await cryptos(['quota', 'unfreeze', '--scope', 'kraken', '--json'], own)
    expect(lastJson(thawed)).toEqual({ unfrozen: 'ip:api.kraken.com' })
  })
  it('is what `collect` tells, although it would not be due anyway', async () => {
    const own = env('frozen', { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url })
    expect((await cryptos(['collect', 'kraken', '--now'], own)).code).toBe(0)
    const early = lastJson(await cryptos(['collect', 'kraken', '--json'], own))
    expect(early).toMatchObject({ outcome: 'not-due', retryAt: expect.stringMatching(/\.\d{6}Z$/) })
    await cryptos(['quota', 'freeze', '--reason', 'bill not paid'], own)
    const said = await cryptos(['collect', 'kraken', '--json'], own)
    expect([said.code, lastJson(said)]).toMatchObject([99, { outcome: 'frozen', reason: 'bill not paid' }])
  })
})

describe('a failed call', () => {
  it('tells its code and what to do', async () => {
    const own = env('failed', { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: 'http://127.0.0.1:1' })
    const said = await cryptos(['collect', 'kraken', '--now', '--json'], own)
    expect([said.code, lastJson(said)]).toMatchObject([
      1,
      { outcome: 'transport-error', code: 'CRY_HTTP_NETWORK', remedy: expect.stringContaining('network') },
    ])
  })
})

describe('simulated data', () => {
  it('have no meter to be reconciled with unless a sandbox runs', async () => {
    const said = await cryptos(['quota', 'reconcile', ...simulated, '--json'], env('none'))
    expect([said.code, lastJson(said)]).toMatchObject([
      99,
      { outcome: 'source-disabled', reason: expect.stringMatching(/^no sandbox runs/) },
    ])
  })
  it('of an `up` that runs are reconciled with its own meter, without drift', async () => {
    const own = env('up', { CRYPTOS_PROVIDERS: 'coinmarketcap', CRYPTOS_LOG_LEVEL: 'silent' })
    const note = place.file('up/sandbox/sandbox.url')
    const up = startLine(cryptosLine(['up', '--port', '0', ...simulated]), own)
    await up.says('Prices: ')
    try {
      // The next call is minutes away then: none is under way, and unsettled, when the meter is read.
      await untilPriced(/Prices: (\S+)/.exec(up.said.stdout)?.[1] ?? '')
      expect(readFileSync(note, 'utf8')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const collect = await cryptos(['collect', 'coinmarketcap', '--now', '--json', ...simulated], own)
      expect(lastJson(collect)['outcome']).toMatch(/^(collected|already-done|in-flight|published)$/)
      const said = await cryptos(['quota', 'reconcile', ...simulated, '--json'], own)
      const [scope] = lastJson(said)['scopes'] as { drift: number; windows: { used: number }[] }[]
      expect([said.code, scope?.drift]).toEqual([0, 0])
      const doctor = await cryptos(['doctor', '--json'], own)
      expect([doctor.code, lastJson(doctor)['ok']]).toEqual([0, true])
    } finally {
      up.child.kill('SIGTERM')
    }
    expect((await up.ended).code).toBe(0)
    expect(existsSync(note)).toBe(false)
  })
})
