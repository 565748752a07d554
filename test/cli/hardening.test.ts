import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectNoTrace } from '../support/expectations.ts'
import { filesBelow } from '../support/machine.ts'
import { cryptosLine, type Env, environment, lastJson, program, root, startLine } from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { useSandbox } from '../support/simulated.ts'

const simulated = useSandbox('cli')
const { place } = simulated
const settings = (folder: string): Env => ({
  ...simulated.env(folder),
})

const flags = ['--disallow-code-generation-from-strings', '--disable-proto=delete']

describe.concurrent('under the strict flags of Node', () => {
  it('text is no code and nothing has a __proto__: the flags are in force', async () => {
    const probe = `let made = 'refused'; try { made = new Function('return 1')() } catch {} console.log(made, '__proto__' in {})`
    const said = await startLine([process.execPath, ...flags, '--eval', probe], {}).ended
    expect(said.stdout).toBe('refused false\n')
  })
  it.each(['coinmarketcap', 'kraken', 'coinbase'])('%s is collected', async provider => {
    const line = [process.execPath, ...flags, program, 'collect', provider, '--now', '--json']
    const said = await startLine(line, settings(`flags-${provider}`)).ended
    expectNoTrace(said)
    expect([said.code, said.stderr]).toEqual([0, ''])
    expect(lastJson(said)).toMatchObject({ outcome: 'collected', records: 6 })
  })
  it('the whole path runs and shows its prices', async () => {
    const line = [process.execPath, ...flags, program, 'up', '--port', '0', '--json', '--providers', 'kraken']
    const running = startLine(line, settings('flags-up'))
    await once(running.child.stdout, 'data')
    const { url } = JSON.parse(running.said.stdout.split('\n')[0] ?? '') as { url: string }
    await untilPriced(url)
    expect(await (await fetch(new URL('/api/v1/latest', url))).text()).toContain('bitcoin')
    running.child.kill('SIGTERM')
    const said = await running.ended
    expectNoTrace(said)
    expect(said.code).toBe(0)
  })
  it('the unit tests of policy, codecs and core pass', async () => {
    const files = [
      'core/',
      'topics/codecs',
      'topics/table',
      'topics/partition',
      'quota/planner',
      'quota/gate',
    ]
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const child = spawn(process.execPath, [vitest, 'run', '--project', 'unit', '--reporter=json', ...files], {
      cwd: root,
      env: environment({ NODE_OPTIONS: flags.join(' '), NO_COLOR: '1' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    child.stderr.resume()
    const [code] = (await once(child, 'close')) as [number]
    const line = text.split('\n').find(each => each.startsWith('{')) ?? '{}'
    const report = JSON.parse(line) as { numPassedTests: number; numFailedTests: number }
    expect([code, report.numFailedTests]).toEqual([0, 0])
    expect(report.numPassedTests).toBeGreaterThan(30)
  })
})

/** What others could use below a folder, the folder included: folders are 0700, files 0600. */
function openToOthers(folder: string): string[] {
  const names = ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]
  return names.flatMap(name => {
    const stat = lstatSync(join(folder, name))
    const mode = stat.mode & 0o777
    return mode === (stat.isDirectory() ? 0o700 : 0o600) ? [] : [`${name} ${mode.toString(8)}`]
  })
}

const databaseFiles = ['ledger.db', 'ledger.db-wal', 'ledger.db.bell', 'log.db', 'series.db']

describe.skipIf(process.platform === 'win32')('what lies on the disk', { concurrent: true }, () => {
  it.each(['000', '077'])('is private to the user, whatever umask %s gives away', async umask => {
    const folder = `umask-${umask}`
    const inShell = (args: readonly string[]) =>
      startLine(['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...cryptosLine(args)], settings(folder))
    const up = inShell(['up', '--port', '0', '--json'])
    await once(up.child.stdout, 'data')
    await inShell(['collect', 'kraken', '--now']).ended
    await inShell(['export', '--out', join(place.file(folder), 'out.csv')]).ended
    const files = filesBelow(place.file(folder)).map(path => path.split('/').at(-1))
    expect(files).toEqual(expect.arrayContaining([...databaseFiles, 'lock.db', 'source', 'out.csv']))
    expect(openToOthers(place.file(folder))).toEqual([])
    up.child.kill('SIGTERM')
    expect((await up.ended).code).toBe(0)
    expect(openToOthers(place.file(folder))).toEqual([])
  })
})
