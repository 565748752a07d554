import { createHash } from 'node:crypto'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { expect } from 'vitest'
import { isOutcome } from '../../core/outcomes.ts'

export const root = normalize(join(import.meta.dirname, '..', '..'))
export const program = join(root, 'bin', 'cryptos.mjs')

export type Env = Readonly<Record<string, string>>

export interface Said {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder of a test's own. */
export function scratch(): { readonly path: string; readonly file: (name: string) => string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'cryptos-cli-'))
  return {
    path,
    file: name => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Nothing of the caller's settings reaches a test's program. */
export function environment(env: Env): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(CRYPTOS_|COINMARKETCAP_|NODE_OPTIONS|NODE_V8|VITEST)/.test(name),
  )
  const cache = join(root, 'node_modules', '.cache', 'cryptos')
  return { ...Object.fromEntries(own), NODE_COMPILE_CACHE: cache, ...env }
}

/** Starts any command line in a folder without a settings file. */
export function start(command: readonly string[], env: Env) {
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
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'close').then(
    ([code, signal]): Said => ({ code: code as number | null, signal: signal as Said['signal'], ...said }),
  )
  return { child, said, ended }
}

export const cryptosLine = (args: readonly string[]): string[] => [process.execPath, program, ...args]

/** Runs the real program to its end. */
export async function cryptos(args: readonly string[], env: Env, stdin?: string | Uint8Array): Promise<Said> {
  const running = start(cryptosLine(args), env)
  running.child.stdin.end(stdin)
  return running.ended
}

/** The last line of stdout, which is the result with `--json`. */
export const lastJson = (said: Said): Record<string, unknown> =>
  JSON.parse(said.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>

export interface Line {
  readonly args: readonly string[]
  readonly env?: Env
}

export interface Answer {
  readonly code: number
  readonly json: Readonly<Record<string, unknown>>
}

/** Runs many command lines with --json in one process, which is ten times as fast; nothing may come on stderr. */
export async function cryptosMany(lines: readonly Line[]): Promise<readonly Answer[]> {
  const running = start([process.execPath, join(import.meta.dirname, 'main-many.ts')], {})
  running.child.stdin.end(JSON.stringify(lines.map(line => ({ ...line, args: [...line.args, '--json'] }))))
  const said = await running.ended
  expectNoTrace(said)
  expect([said.code, said.stderr]).toEqual([0, ''])
  return said.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Answer)
}

const stackLine = /^\s+at .+[:(]\d+|node:internal|file:\/\//m

/** No stack trace, nothing of Node's own about a crash. */
export function expectNoTrace(said: Said): void {
  expect(`${said.stdout}${said.stderr}`).not.toMatch(stackLine)
}

export interface Refusal {
  readonly exit: 1 | 2
  /** All that people are told, on stderr: the sentence. */
  readonly sentence: RegExp
  readonly code: string
  readonly outcome?: string
}

/** One sentence and one line that says what to do, on stderr and nowhere else. */
export function expectSentence(said: Said, { exit, sentence, code }: Refusal): void {
  expectNoTrace(said)
  const lines = said.stderr.trimEnd().split('\n')
  expect(lines[0]).toMatch(sentence)
  expect(lines.slice(1)).toEqual([expect.stringMatching(new RegExp(`^  ${code}: \\S.{4}`))])
  expect(said.code).toBe(exit)
}

/** The same as one JSON object, the last line of stdout. */
export function expectJson(said: Said, { exit, sentence, code, outcome }: Refusal): void {
  expectNoTrace(said)
  expectAnswer(
    { code: said.code ?? -1, json: lastJson(said) },
    { exit, sentence, code, ...(outcome === undefined ? {} : { outcome }) },
  )
}

export function expectAnswer(answer: Answer, { exit, sentence, code, outcome }: Refusal): void {
  const { json } = answer
  expect(json).toMatchObject({ code, reason: expect.stringMatching(sentence), remedy: expect.any(String) })
  expect(isOutcome(String(json['outcome']))).toBe(true)
  if (outcome !== undefined) expect(json['outcome']).toBe(outcome)
  expect(answer.code).toBe(exit)
}

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .sort((a, b) => (a < b ? -1 : 1))
}

/** Hashes of the databases below a folder, to see whether anything was lost. */
export const databases = (folder: string): Record<string, string> =>
  Object.fromEntries(
    filesBelow(folder)
      .filter(path => path.endsWith('.db') && !path.endsWith('lock.db'))
      .map(path => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

/** Whether this machine lets a test mount and unplug things for one command. */
export function mayUnshare(...what: readonly string[]): boolean {
  const tried = spawnSync('unshare', [...what, 'true'], { stdio: 'ignore' })
  const may = tried.status === 0
  if (!may) console.warn(`SKIPPED: unshare ${what.join(' ')} is not permitted here`)
  return may
}

/** At most so many programs at a time: they share the machine with the other tests. */
export async function inTurn<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  width = 3,
): Promise<R[]> {
  const results: R[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
