import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

export const root = normalize(join(import.meta.dirname, '..', '..'))
export const program = join(root, 'bin', 'cryptos.mjs')
const preload = join(import.meta.dirname, 'kill-at-step.mjs')

export type Env = Readonly<Record<string, string>>

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs, with all that it says. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly pid: number
  /** Grows while it runs. */
  readonly said: Readonly<Pick<Ended, 'stdout' | 'stderr'>>
  readonly ended: Promise<Ended>
  /** Resolves when stdout contains the text. @throws when the program ends before */
  says(text: string): Promise<void>
}

/** The settings of a child are the test's alone, whatever the caller's shell has. */
export function environment(env: Env): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(CRYPTOS_|COINMARKETCAP_|AT_STEP|NODE_OPTIONS|NODE_V8|VITEST)/.test(name),
  )
  const cache = join(root, 'node_modules', '.cache', 'cryptos')
  return { ...Object.fromEntries(own), NODE_COMPILE_CACHE: cache, ...env }
}

/** Starts any command line in a folder without a settings file. */
export function startLine(command: readonly string[], env: Env): Running {
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    cwd: tmpdir(),
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
  return { child, pid: child.pid ?? -1, said, ended, says }
}

/** Starts a script of this repository under the preload that kills or pauses at a step. */
export const startScript = (script: string, args: readonly string[], env: Env): Running =>
  startLine([process.execPath, '--import', preload, join(root, script), ...args], {
    CRYPTOS_LOG_LEVEL: 'warn',
    ...env,
  })

/** The product's own command line, under that preload. */
export const startCryptos = (args: readonly string[], env: Env): Running =>
  startScript('bin/cryptos.mjs', args, env)

export const cryptosLine = (args: readonly string[]): string[] => [process.execPath, program, ...args]

/** Runs the real program, and nothing beside it, to its end. */
export async function cryptos(
  args: readonly string[],
  env: Env,
  stdin?: string | Uint8Array,
): Promise<Ended> {
  const running = startLine(cryptosLine(args), env)
  running.child.stdin.end(stdin)
  return running.ended
}

/** The last line of stdout, which is the result with `--json`. */
export const lastJson = (said: Ended): Record<string, unknown> =>
  JSON.parse(said.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>

/** Runs a command with --json to its end; an empty result where it said none. */
export async function runCryptos(
  args: readonly string[],
  env: Env,
): Promise<Ended & { readonly json: Record<string, unknown> }> {
  const ended = await startCryptos([...args, '--json'], env).ended
  const said = ended.stdout.trimEnd().split('\n').at(-1)?.startsWith('{') ?? false
  return { ...ended, json: said ? lastJson(ended) : {} }
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
