import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const root = normalize(join(import.meta.dirname, '..', '..'))
const preload = join(import.meta.dirname, 'kill-at-step.mjs')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs, with all that it says. */
export interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<Ended>
  stdout(): string
  /** Resolves when stdout contains the text. @throws when the program ends before */
  says(text: string): Promise<void>
}

/** The settings of a child are the test's alone, whatever the caller's shell has. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(CRYPTOS_|COINMARKETCAP_|AT_STEP|NODE_OPTIONS|NODE_V8|VITEST)/.test(name),
  )
  const cache = join(root, 'node_modules', '.cache', 'cryptos')
  return { ...Object.fromEntries(own), NODE_COMPILE_CACHE: cache, CRYPTOS_LOG_LEVEL: 'warn', ...extra }
}

/** Starts a script of this repository under the preload that kills or pauses at a step. */
export function start(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const cwd = env['CRYPTOS_DATA_DIR'] ?? root
  mkdirSync(cwd, { recursive: true })
  const child = spawn(process.execPath, ['--import', preload, join(root, script), ...args], {
    // Not the repository: a settings file that lies there is no part of a test.
    cwd,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
  })
  // A killed child takes its end of the pipe along.
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code: code as number | null, signal: signal as Ended['signal'], ...said }),
  )
  const says = async (text: string): Promise<void> => {
    while (!said.stdout.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(
          `ended (${child.exitCode ?? child.signalCode}) before it said ${text}: ${said.stderr}`,
        )
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return { child, pid: child.pid ?? -1, ended, stdout: () => said.stdout, says }
}

/** The product's own command line. */
export const cryptos = (args: readonly string[], env: Readonly<Record<string, string>>): Running =>
  start('bin/cryptos.mjs', args, env)

/** Runs a command to its end; `json` is the last line of stdout. */
export async function runCryptos(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended & { readonly json: Record<string, unknown> }> {
  const ended = await cryptos([...args, '--json'], env).ended
  const last = ended.stdout.trim().split('\n').at(-1) ?? ''
  return { ...ended, json: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {} }
}

/** Resolves when the process is really stopped, so that a SIGCONT can not come before its SIGSTOP. */
export async function isStopped(running: Running, mark: string): Promise<void> {
  while (!existsSync(mark) || !isInStateT(running.pid)) {
    if (running.child.exitCode !== null || running.child.signalCode !== null)
      throw new Error(`ended before it was stopped: ${JSON.stringify(await running.ended)}`)
    await sleep(3)
  }
}

/** Linux tells the state after the name in parentheses; elsewhere the mark has to do, a moment later. */
function isInStateT(pid: number): boolean {
  const file = `/proc/${pid}/stat`
  return !existsSync(file) || /\) T/.test(readFileSync(file, 'latin1'))
}

/** Resolves when it is so; the test's own time limit is the only one. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5)
}
