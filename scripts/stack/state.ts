import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../core/errors.ts'
import type { ServerName } from './pins.ts'
import type { ProcessId } from './processes.ts'
import { identify, isAlive } from './processes.ts'
import type { Plan } from './server.ts'

/** One file per server, so that servers started at once write no common file. */
export interface ServerRecord extends ProcessId {
  readonly name: string
  readonly kind: ServerName
  readonly address: string
}

const readJson = (path: string): unknown =>
  existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined

function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}

const recordFile = (folder: string, name: string): string => join(folder, name, 'process.json')

export const readRecord = (folder: string, name: string): ServerRecord | undefined =>
  readJson(recordFile(folder, name)) as ServerRecord | undefined

export const writeRecord = (folder: string, record: ServerRecord): void =>
  writeJson(recordFile(folder, record.name), record)

export const removeRecord = (folder: string, name: string): void =>
  rmSync(recordFile(folder, name), { force: true })

/** Everything that was started in the folder and not stopped by `down`, dead or alive. */
export const allRecords = (folder: string): ServerRecord[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map(name => readRecord(folder, name))
        .filter(record => record !== undefined)
    : []

const planFile = (folder: string): string => join(folder, 'stack.json')

export const readPlan = (folder: string): Plan | undefined => readJson(planFile(folder)) as Plan | undefined

export function writePlan(folder: string, plan: Plan): void {
  mkdirSync(folder, { recursive: true })
  writeJson(planFile(folder), plan)
}

/** Runs `work` while no other process starts or stops servers in the folder. */
export async function locked<T>(folder: string, work: () => Promise<T>, limitMs = 300_000): Promise<T> {
  const file = join(folder, 'stack.lock')
  const until = performance.now() + limitMs
  while (!take(file)) {
    if (performance.now() > until) {
      throw new CryptosError('CRY_SERVER_BUSY', `another run starts or stops servers in ${folder}`)
    }
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file: string): boolean {
  try {
    const handle = openSync(file, 'wx')
    writeFileSync(handle, JSON.stringify(identify(process.pid)))
    closeSync(handle)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  // Empty: its holder is just writing it.
  if (text !== '' && !isAlive(JSON.parse(text) as ProcessId)) rmSync(file, { force: true })
  return false
}
