// Runs a program in the repository's own Node, after the set-up: `node scripts/run.mjs start|test|stack|stack-test|soak-test [arguments]`.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { nodeBinary, root, setUp } from './setup.mjs'

const vitest = () => [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run']
const jobs = {
  // A nursery of 2 MB is enough for some calls a second, and keeps the whole program small.
  start: () => ['--max-semi-space-size=2', join(root, 'bin', 'cryptos.mjs'), 'up', '--source', 'auto'],
  test: () => [...vitest(), '--project', 'unit', '--project', 'e2e'],
  'stack-test': () => [...vitest(), '--project', 'stack'],
  'soak-test': () => [...vitest(), '--project', 'soak'],
  stack: () => [join(root, 'scripts', 'stack', 'main.ts')],
}
const [name = '', ...rest] = process.argv.slice(2)
const job = jobs[name]
if (!job) {
  process.stderr.write(`node scripts/run.mjs ${Object.keys(jobs).join('|')}\n`)
  process.exit(2)
}

setUp()
const env = {
  ...process.env,
  PATH: join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? ''),
}
// The program ends by itself when its end of the channel closes: this launcher may be killed and pass nothing on.
const stdio = ['inherit', 'inherit', 'inherit', ...(name === 'start' ? ['ipc'] : [])]
if (name === 'start') env.CRYPTOS_LAUNCHED = '1'
const child = spawn(nodeBinary(), [...job(), ...rest], { stdio, env, cwd: process.cwd() })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
