import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../core/errors.ts'
import { stopFamily } from './family.ts'
import { firstTaken, holderOf } from './port-check.ts'
import type { ProcessId } from './processes.ts'
import { identify, isAlive, signal } from './processes.ts'
import type { Launch, Server } from './server.ts'
import { readPlan, readRecord, writeRecord } from './state.ts'

/** How long a server of the folder may take until it answers: as its plan says, else 90 s; a loaded machine took 34 s. */
export const readyLimitOf = (folder: string): number => readPlan(folder)?.readyLimitMs ?? 90_000

export const logFile = (folder: string, name: string): string => join(folder, name, 'server.log')

export function lastLines(folder: string, name: string, count: number): string[] {
  const file = logFile(folder, name)
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count) : []
}

/** Waits until the server answers. */
export async function waitForReady(
  folder: string,
  server: Server,
  limitMs = Math.max(readyLimitOf(folder), server.slow?.readyLimitMs ?? 0),
): Promise<void> {
  const until = performance.now() + limitMs
  const tell = (what: string): CryptosError => {
    const log = lastLines(folder, server.name, 8).join('\n  ')
    return new CryptosError('CRY_SERVER_UNREACHABLE', `${server.name} ${what}; the end of its log:\n  ${log}`)
  }
  for (;;) {
    if (await server.ready()) return
    const record = readRecord(folder, server.name)
    if (record === undefined || !isAlive(record)) throw tell('ended while it started')
    if (performance.now() > until) throw tell(`did not answer within ${limitMs / 1000} s`)
    await sleep(server.slow?.askEveryMs ?? 50)
  }
}

async function freePorts(server: Server): Promise<void> {
  // What was just killed may hold its port for a moment.
  const until = performance.now() + 2000
  for (;;) {
    const taken = await firstTaken(server.listens)
    if (taken === undefined) return
    if (performance.now() > until) {
      const holder = holderOf(taken)
      throw new CryptosError(
        'CRY_PORT_IN_USE',
        `port ${taken} for ${server.name} is taken${holder ? ` by ${holder}` : ''}: stop that program or choose --port-offset`,
      )
    }
    await sleep(100)
  }
}

/** Starts it in a session of its own, so that neither Ctrl-C nor the end of this program reaches it. */
function launch(folder: string, server: Server, how: Launch): ProcessId {
  const file = logFile(folder, server.name)
  // A new log: a line of the start before must not look like one of this start.
  if (existsSync(file)) renameSync(file, `${file}.1`)
  const log = openSync(file, 'w')
  const { uid, gid } = how
  const child = spawn(how.file, how.args, {
    cwd: uid === undefined ? join(folder, server.name) : '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: how.env ?? process.env,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  closeSync(log)
  child.unref()
  // Without a listener a program that can not be run would end this one; the missing pid tells it below.
  child.once('error', () => undefined)
  if (child.pid === undefined) throw new CryptosError('CRY_SERVER_CONFIG', `${how.file} can not be run`)
  const id = identify(child.pid)
  writeRecord(folder, { name: server.name, kind: server.kind, address: server.address, ...id })
  return id
}

async function launchUntilReady(folder: string, server: Server): Promise<void> {
  const how = await server.prepare()
  const until = performance.now() + 10_000
  for (;;) {
    const id = launch(folder, server, how)
    try {
      return await waitForReady(folder, server)
    } catch (error) {
      const early = server.tooEarly?.test(lastLines(folder, server.name, 20).join('\n')) && !isAlive(id)
      if (!early || performance.now() > until) throw error
      await sleep(100)
    }
  }
}

/** Starts the server unless it runs, and waits until it answers. True if it was started now. */
export async function ensureRunning(folder: string, server: Server): Promise<boolean> {
  mkdirSync(join(folder, server.name), { recursive: true })
  const record = readRecord(folder, server.name)
  if (record !== undefined && isAlive(record)) {
    signal(record, 'SIGCONT')
    await waitForReady(folder, server)
    return false
  }
  // Its parent may be dead and its children not: they would work beside the new ones.
  if (record !== undefined && server.mark !== undefined) await stopFamily(record, server.mark)
  await freePorts(server)
  await launchUntilReady(folder, server)
  return true
}
