import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { type Sandbox, sandboxKey, startSandbox } from '../../sandbox/server.ts'
import { expectNoTrace } from '../support/expectations.ts'
import { filesBelow, mayUnshare } from '../support/machine.ts'
import { cryptos, cryptosLine, type Ended, type Env, lastJson, startLine } from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { scratch } from '../support/scratch.ts'

// Never a real key: a text that nothing else can hold.
const canary = 'c4n4ry+key/7f3a=9e51d2c8b6f0417a'
const place = scratch('cli')
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ clock: systemClock, keys: [canary] })
  writeFileSync(place.file('key'), `${canary}\n`, { mode: 0o600 })
})
afterAll(async () => {
  await sandbox.close()
  place[Symbol.dispose]()
})

/** The forms in which a secret can be written down; of base64 what stays the same at each of three offsets. */
function forms(secret: string): readonly Buffer[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map(shift =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : shift + 1, -4),
  )
  const texts = [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64.flatMap(text => [text, text.replaceAll('+', '-').replaceAll('/', '_')]),
  ]
  return [...new Set(texts)].flatMap(text => [Buffer.from(text), Buffer.from(text, 'utf16le')])
}
const canaryForms = forms(canary)

/** Where the canary stands, in any form. */
const sightings = (places: Iterable<readonly [string, Buffer | string]>): string[] =>
  [...places]
    .filter(([, written]) => {
      const bytes = typeof written === 'string' ? Buffer.from(written) : written
      return canaryForms.some(form => bytes.includes(form))
    })
    .map(([name]) => name)

const inSaid = (said: Ended): (readonly [string, string])[] => [
  ['stdout', said.stdout],
  ['stderr', said.stderr],
]
const inFolder = (folder: string): (readonly [string, Buffer])[] =>
  filesBelow(folder).map(path => [path, readFileSync(path)] as const)

/** Command lines of all processes that can be seen: other users can read them too. */
function commandLines(): (readonly [string, Buffer])[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.flatMap(pid => {
    try {
      return [[`/proc/${pid}/cmdline`, readFileSync(`/proc/${pid}/cmdline`)] as const]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

const settings = (folder: string, more: Env): Env => ({
  CRYPTOS_DATA_DIR: place.file(folder),
  CRYPTOS_SANDBOX_URL: sandbox.url,
  CRYPTOS_LOG_LEVEL: 'trace',
  ...more,
})
const withFile = (folder: string, more: Env = {}): Env =>
  settings(folder, { COINMARKETCAP_API_KEY_FILE: place.file('key'), ...more })
const withEnv = (folder: string, more: Env = {}): Env =>
  settings(folder, { COINMARKETCAP_API_KEY: canary, ...more })
const programOf = (what: 'collect' | 'up'): string[] => [
  process.execPath,
  join(import.meta.dirname, 'canary-program.ts'),
  what,
]
const scope = `key:${createHash('sha256').update(`coinmarketcap/${canary}`).digest('hex').slice(0, 16)}`

it('is found in every form, or the tests below would prove nothing', () => {
  const bytes = Buffer.from(canary)
  const written = [
    canary,
    encodeURIComponent(canary),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    Buffer.from(`x:${canary}:y`).toString('base64'),
    Buffer.from(`xy:${canary}`).toString('base64'),
    JSON.stringify({ key: canary }),
  ]
  expect(sightings(written.map(text => [text, `before ${text} after`] as const))).toEqual(written)
  expect(sightings([['none', canary.slice(1)]])).toEqual([])
})

/** The call that is paid for; the provider's count is asked for before it. */
const prices = '/v3/cryptocurrency/quotes/latest'

describe('a key that is used', () => {
  it('travels in the header alone, and is written nowhere: collect, answer and refusals', async () => {
    const faults = [
      [],
      [{ kind: 'server-error', charged: true, status: 500 }],
      [{ kind: 'cut-body', bytes: 20 }],
      [{ kind: 'html', charged: true }],
      [{ kind: 'rate-limited', retryAfterSeconds: 60 }],
    ] as const
    const outcomes: unknown[] = []
    for (const [index, some] of faults.entries()) {
      for (const fault of some)
        sandbox.faults.add({ times: 1, provider: 'coinmarketcap', endpoint: prices, ...fault })
      const folder = `collect-${index}`
      const env = index % 2 === 0 ? withFile(folder) : withEnv(folder)
      const running = startLine(programOf('collect'), env)
      const seen = sightings(commandLines())
      const said = await running.ended
      outcomes.push(lastJson(said)['outcome'])
      expect(seen).toEqual([])
      expect(sightings([...inSaid(said), ...inFolder(place.file(folder))])).toEqual([])
      expectNoTrace({ ...said, stderr: '' })
    }
    expect(outcomes).toEqual([
      'collected',
      'provider-error',
      'transport-error',
      'transport-error',
      'rate-limited',
    ])
    const calls = sandbox.meter.entries().filter(e => e.provider === 'coinmarketcap')
    expect(calls.map(e => [e.scope, e.keyIn])).toEqual(calls.map(() => [scope, 'header']))
    expect(calls.filter(e => e.endpoint === prices).length).toBe(5)
    expect(calls.some(e => e.endpoint.includes('key/info'))).toBe(true)
  })
  it('is written nowhere while the whole path runs, and shows on no page', async () => {
    const before = sandbox.meter.entries().length
    const running = startLine(programOf('up'), withFile('up', { CRYPTOS_PROVIDERS: 'coinmarketcap' }))
    await new Promise<void>((resolve, reject) => {
      running.child.stdout.once('data', () => resolve())
      void running.ended.then(said => reject(new Error(said.stderr)))
    })
    const url = running.said.stdout.trim()
    await untilPriced(url)
    const paths = ['/', '/health', '/api/v1/latest', '/api/v1/quota', '/api/v1/runs']
    const pages = await Promise.all(
      paths.map(async path => [path, await (await fetch(new URL(path, url))).text()] as const),
    )
    expect(pages.find(([path]) => path === '/api/v1/latest')?.[1]).toContain('bitcoin')
    expect(sightings([...pages, ...commandLines(), ...inFolder(place.file('up'))])).toEqual([])
    running.child.kill('SIGTERM')
    const said = await running.ended
    expect(sightings([...inSaid(said), ...inFolder(place.file('up'))])).toEqual([])
    const calls = sandbox.meter.entries(before)
    expect(calls.some(e => e.result === 'served' && e.scope === scope)).toBe(true)
    expect(calls.some(e => e.endpoint.includes('key/info'))).toBe(true)
  })
  it('is masked even when the provider repeats it in its own words', async () => {
    const body = JSON.stringify({
      status: { error_code: 1001, error_message: `The key ${canary} is invalid.` },
    })
    sandbox.faults.add({
      kind: 'replace-body',
      times: 1,
      provider: 'coinmarketcap',
      body,
      status: 401,
      charged: false,
    })
    const said = await startLine(programOf('collect'), withEnv('echo')).ended
    expect(lastJson(said)).toMatchObject({ outcome: 'unauthorized' })
    expect(said.stdout).toContain(`The key ${'*'.repeat(canary.length)} is invalid.`)
    expect(sightings([...inSaid(said), ...inFolder(place.file('echo'))])).toEqual([])
  })
  it('is hidden by every command that shows what is set or stored', async () => {
    const lines = [
      ['config', 'show'],
      ['doctor'],
      ['quota', 'status'],
      ['quota', 'history'],
      ['export', '--out', place.file('prices.csv')],
      ['dlq', 'list'],
      ['audit'],
    ]
    const all = await Promise.all(
      lines.map(async line => {
        const said = await cryptos(
          [...line, '--json'],
          withEnv('up', { CRYPTOS_SOURCE: 'live', CRYPTOS_PORT: '0' }),
        )
        expect([line, said.code, said.code === 0 ? '' : said.stdout]).toEqual([line, 0, ''])
        return inSaid(said)
      }),
    )
    expect(sightings(all.flat())).toEqual([])
    const shown = await cryptos(['config', 'show'], withFile('up'))
    expect(shown.stdout).toContain('COINMARKETCAP_API_KEY=c4…7a (32 characters)')
    expect(sightings(inSaid(shown))).toEqual([])
  })
  it('is not told by the complaint about a setting that holds it by mistake', async () => {
    for (const env of [
      { CRYPTOS_PORT: canary },
      { CRYPTOS_ASSETS: canary },
      { CRYPTOS_DATA_DIR: `/dev/null/${canary}` },
    ]) {
      const said = await cryptos(['quota', 'status', '--json'], { COINMARKETCAP_API_KEY: canary, ...env })
      expect(said.code).toBe(2)
      expect(said.stdout).toContain('[secret]')
      expect(sightings(inSaid(said))).toEqual([])
    }
  })
})

describe('the key of the user', () => {
  it('never goes to a sandbox: that gets its own', async () => {
    const seen: { url: string; headers: IncomingHttpHeaders }[] = []
    const spy = createServer((request, response) => {
      seen.push({ url: request.url ?? '', headers: request.headers })
      response.writeHead(500).end()
    })
    await new Promise<void>(resolve => spy.listen(0, '127.0.0.1', resolve))
    const { port } = spy.address() as AddressInfo
    const url = `http://127.0.0.1:${port}`
    await cryptos(
      ['collect', 'coinmarketcap', '--now'],
      withEnv('spy', { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: url }),
    )
    await startLine(programOf('collect'), withEnv('spy-live', { CRYPTOS_SANDBOX_URL: url })).ended
    spy.close()
    const keys = seen.map(s => s.headers['x-cmc_pro_api_key'])
    expect(keys).toEqual([sandboxKey, sandboxKey, canary, canary])
    expect(sightings(seen.map(s => [s.url, s.url] as const))).toEqual([])
    expect(seen.filter(s => s.url.includes(`${prices}?`)).length).toBe(2)
  })
  it.skipIf(!mayUnshare('-n'))('is in no error of a call that can not be made', async () => {
    const line = [
      'unshare',
      '-n',
      ...cryptosLine(['collect', 'coinmarketcap', '--source', 'live', '--now', '--json']),
    ]
    const running = startLine(line, {
      CRYPTOS_DATA_DIR: place.file('no-net'),
      COINMARKETCAP_API_KEY: canary,
      CRYPTOS_LOG_LEVEL: 'trace',
    })
    const said = await running.ended
    expectNoTrace(said)
    expect([said.code, lastJson(said)['outcome']]).toEqual([1, 'transport-error'])
    expect(sightings([...inSaid(said), ...inFolder(place.file('no-net'))])).toEqual([])
  })
  it('is out of reach of a debugger, which no signal opens', async () => {
    const running = startLine(cryptosLine(['sandbox', '--json']), withEnv('debugger'))
    await new Promise<void>(resolve => running.child.stdout.once('data', () => resolve()))
    running.child.kill('SIGUSR1')
    await cryptos(['assets'], {})
    running.child.kill('SIGTERM')
    const said = await running.ended
    expect([said.code, said.stderr]).toEqual([0, ''])
  })
})
