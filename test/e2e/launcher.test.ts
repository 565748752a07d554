import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
// @ts-expect-error: a script for any Node, without types
import { isSetUp } from '../../scripts/setup.mjs'
import { expectNoTrace } from '../support/expectations.ts'
import { cryptos, type Env, lastJson, program, root, startLine, until } from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { useSandbox } from '../support/simulated.ts'

const simulated = useSandbox('launcher')
const { place } = simulated

const settings = (folder: string): Env => ({
  ...simulated.env(folder),
  CRYPTOS_PROVIDERS: 'kraken,coinbase',
  CRYPTOS_ASSETS: 'bitcoin',
  CRYPTOS_LOG_LEVEL: 'error',
})

/** The launcher takes this Node for an old one; what it launches does not. */
const old =
  "data:text/javascript,if(!process.env.CRYPTOS_LAUNCHED)Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})"
const launchers = {
  'bin/cryptos.mjs in an old Node': [process.execPath, '--import', old, program, 'up'],
  'scripts/run.mjs start': [
    process.execPath,
    join(root, 'scripts', 'run.mjs'),
    'start',
    '--source',
    'sandbox',
  ],
}
type Launcher = keyof typeof launchers

function hasPinnedNode(): boolean {
  try {
    createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`)
    return true
  } catch {
    return false
  }
}
const can: Readonly<Record<Launcher, boolean>> = {
  'bin/cryptos.mjs in an old Node': hasPinnedNode(),
  'scripts/run.mjs start': isSetUp() as boolean,
}
const names = (Object.keys(launchers) as Launcher[]).filter(name => {
  if (!can[name])
    console.warn(`SKIPPED: ${name}: there is no pinned Node, or this clone was not set up by npm start`)
  return can[name]
})

/** An ended process whose parent is dead may wait long for somebody to reap it. */
const runs = (pid: number): boolean => {
  try {
    const stat = `/proc/${pid}/stat`
    return process.kill(pid, 0) && !(existsSync(stat) && /\) [ZX]/.test(readFileSync(stat, 'latin1')))
  } catch {
    return false
  }
}

/** A launcher whose program has stored prices, and the PID of that program as a second one is told it. */
async function launched(name: Launcher, folder: string) {
  const line = ['sh', '-c', 'exec "$@" </dev/null', 'sh', ...launchers[name], '--port', '0', '--json']
  const running = startLine(line, settings(folder))
  await running.says('\n')
  const { url } = JSON.parse(running.said.stdout.split('\n')[0] ?? '') as { url: string }
  await untilPriced(url)
  const second = await cryptos(['process'], settings(folder))
  const pid = Number(/\(PID (\d+)\)/.exec(second.stderr)?.[1])
  expect([pid === running.pid, runs(pid)]).toEqual([false, true])
  return { running, pid }
}

describe.skipIf(process.platform === 'win32' || names.length === 0)('a launcher', () => {
  it.each(names)(
    '%s: killed with -9, its program ends by itself as it does when told, and all is whole',
    async name => {
      const folder = name.slice(0, 3)
      const { running, pid } = await launched(name, folder)
      running.child.kill('SIGKILL')
      // Its streams close when the program has ended, too.
      const said = await running.ended
      expectNoTrace(said)
      await until(() => !runs(pid))
      expect(said.signal).toBe('SIGKILL')
      expect(lastJson(said)).toMatchObject({ stopped: true })
      const audit = await cryptos(['audit', '--json'], settings(folder))
      expect(lastJson(audit)).toMatchObject({ outcome: 'collected', differences: [] })
      expect(existsSync(place.file(`${folder}/sandbox/lock.pid`))).toBe(false)
    },
  )
  it.each(names)('%s: passes a signal on and ends with the code of its program', async name => {
    const { running, pid } = await launched(name, `${name.slice(0, 3)}-told`)
    running.child.kill('SIGTERM')
    const said = await running.ended
    expect([said.code, runs(pid), lastJson(said)['stopped']]).toEqual([0, false, true])
  })
  it('lets a program end that nobody stops', async () => {
    const [file = '', ...args] = launchers['bin/cryptos.mjs in an old Node'].slice(0, -1)
    expect((await startLine([file, ...args, 'providers', '--json'], settings('short')).ended).code).toBe(0)
  })
})
