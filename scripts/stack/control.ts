import { resolve } from 'node:path'
import { CryptosError } from '../../core/errors.ts'
import { serverNamed } from './members.ts'
import type { ServerName } from './pins.ts'
import { isAlive, isPaused, rssOf, signal, waitForEnd, waitForPause } from './processes.ts'
import { ensureRunning } from './start.ts'
import type { ServerRecord } from './state.ts'
import { allRecords, readRecord } from './state.ts'
import { stillRuns, stopServer } from './stopping.ts'

/** Whether a record is meant by one of the names, of servers or of single brokers; no name means all. */
export const wanted = (record: ServerRecord, names: readonly string[]): boolean =>
  names.length === 0 || names.includes(record.kind) || names.includes(record.name)

export interface ServerStatus {
  readonly name: string
  readonly kind: ServerName
  readonly state: 'ready' | 'not-ready' | 'paused' | 'dead'
  readonly pid: number
  readonly address: string
  readonly rssBytes: number
}

async function statusOf(folder: string, record: ServerRecord): Promise<ServerStatus> {
  const { name, kind, pid, address } = record
  const known = { name, kind, pid, address }
  if (!isAlive(record)) return { ...known, state: 'dead', rssBytes: 0 }
  if (isPaused(pid)) return { ...known, state: 'paused', rssBytes: rssOf(pid) }
  const ready = await serverNamed(folder, name).ready()
  return { ...known, state: ready ? 'ready' : 'not-ready', rssBytes: rssOf(pid) }
}

/** Every server that was started in the folder and not stopped by `down`. */
export function status(folder: string, names: readonly string[] = []): Promise<ServerStatus[]> {
  const stackFolder = resolve(folder)
  return Promise.all(
    allRecords(stackFolder)
      .filter(record => wanted(record, names))
      .map(record => statusOf(stackFolder, record)),
  )
}

/** Sends a signal to one server; waits until a SIGKILL or SIGSTOP has done its work. It throws if the server does not run: no fault may miss. */
export async function kill(folder: string, name: string, signalName: NodeJS.Signals): Promise<void> {
  const record = readRecord(resolve(folder), name)
  if (record === undefined || !signal(record, signalName)) {
    throw new CryptosError('CRY_USAGE', `${name} does not run in ${folder}: no ${signalName} was sent`)
  }
  if (signalName === 'SIGKILL') await waitForEnd(record, 10_000)
  if (signalName === 'SIGSTOP') await waitForPause(record, 10_000)
}

/** Stops the server if it runs, starts it on its data and waits until it answers. */
export async function restart(folder: string, name: string): Promise<void> {
  const stackFolder = resolve(folder)
  const server = serverNamed(stackFolder, name)
  const record = readRecord(stackFolder, name)
  if (record && !(await stopServer(stackFolder, record))) throw stillRuns([record])
  await ensureRunning(stackFolder, server)
}
