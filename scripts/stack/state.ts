import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './lock.ts'
import type { ServerName } from './pins.ts'
import type { ProcessId } from './processes.ts'
import type { Plan } from './server.ts'

/** One file per server, so that servers started at once write no common file. */
export interface ServerRecord extends ProcessId {
  readonly name: string
  readonly kind: ServerName
  readonly address: string
}

function readJson(path: string): unknown {
  const text = readIfThere(path)
  return text === undefined ? undefined : JSON.parse(text)
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}

const recordFile = (folder: string, name: string): string => join(folder, name, 'process.json')

export const readRecord = (folder: string, name: string): ServerRecord | undefined =>
  readJson(recordFile(folder, name)) as ServerRecord | undefined

export const writeRecord = (folder: string, record: ServerRecord): void =>
  writeJson(recordFile(folder, record.name), record)

/** When it was started last, in ms of this machine's clock; undefined if it never was. */
export const recordedAtMs = (folder: string, name: string): number | undefined =>
  statSync(recordFile(folder, name), { throwIfNoEntry: false })?.mtimeMs

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
