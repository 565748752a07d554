import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, type ProcessId, stopProcess } from '../../scripts/stack/processes.ts'
import { root } from './program.ts'
import { scratch } from './scratch.ts'

export const deployFile = (name: string): string => join(root, 'deploy', name)

/** What `docker-compose.yml` runs in a container, run without one: a folder, secrets as it makes them, processes that end with the test. */
export class Deployment {
  readonly #scratch: ReturnType<typeof scratch>
  readonly #running: { readonly id: ProcessId; readonly child: ChildProcess }[] = []
  readonly #kill = (): void => {
    for (const { child } of this.#running) child.kill('SIGKILL')
  }
  constructor(name: string) {
    this.#scratch = scratch(name)
    // A run that ends without its hooks leaves no server behind.
    process.on('exit', this.#kill)
    const { status, stderr } = spawnSync('sh', [deployFile('make-secrets.sh'), this.secrets], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  get secrets(): string {
    return this.#scratch.file('secrets')
  }

  file(name: string): string {
    return this.#scratch.file(name)
  }

  password(name: string): string {
    return readFileSync(join(this.secrets, `${name}_password`), 'utf8')
  }

  /** Starts a program whose output goes into `<name>.log`. */
  start(name: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): number {
    const log = openSync(this.file(`${name}.log`), 'a')
    const [file = '', ...args] = command
    const child = spawn(file, args, {
      cwd: this.#scratch.path,
      stdio: ['ignore', log, log],
      env: { ...process.env, SECRETS_DIR: this.secrets, ...env },
    })
    closeSync(log)
    this.#running.push({ id: identify(child.pid ?? -1), child })
    return child.pid ?? -1
  }

  log(name: string): string {
    return readFileSync(this.file(`${name}.log`), 'utf8')
  }

  /** Runs a script to its end. Asynchronous, since what it talks to may be this process. */
  async run(
    command: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ readonly code: number; readonly said: string }> {
    const [file = '', ...args] = command
    const child = spawn(file, args, {
      cwd: this.#scratch.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SECRETS_DIR: this.secrets, ...env },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', status => resolve(status ?? -1))
    })
    return { code, said }
  }

  async stopServers(): Promise<void> {
    await Promise.all(this.#running.splice(0).map(({ id }) => stopProcess(id, 'SIGTERM')))
  }

  async close(): Promise<void> {
    await this.stopServers()
    process.off('exit', this.#kill)
    this.#scratch[Symbol.dispose]()
  }
}

/** Asks until the answer is true. @throws after almost five minutes (a busy machine is no fault), with what `why` tells */
export async function until(ask: () => Promise<boolean>, why: () => string): Promise<void> {
  const end = performance.now() + 280_000
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`not in time: ${why()}`)
    await sleep(200)
  }
}
