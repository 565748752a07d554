import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../core/errors.ts'
import type { Addresses } from './addresses.ts'
import { addressesOf } from './addresses.ts'
import type { Say } from './fetch.ts'
import { isFetched } from './fetch.ts'
import type { ServerName } from './pins.ts'
import { serverNames, usualServers } from './pins.ts'
import { portsOf } from './ports.ts'
import { kafkaBrokers } from './probes.ts'
import { isAlive, isPaused, rssOf, signal, stopProcess, waitForEnd, waitForPause } from './processes.ts'
import type { JvmOptions, Place, Plan, Server, Settings } from './server.ts'
import { cassandraServer } from './servers/cassandra.ts'
import { influxServer } from './servers/influxdb.ts'
import { brokerName, kafkaServer } from './servers/kafka.ts'
import { postgresServer } from './servers/postgres.ts'
import { toxiproxyServer } from './servers/toxiproxy.ts'
import { ensureRunning, readyLimitMs } from './start.ts'
import type { ServerRecord } from './state.ts'
import { allRecords, locked, readPlan, readRecord, removeRecord, writePlan } from './state.ts'
import type { Tool } from './toolchain.ts'
import { findTool, missingTool, toolsOf } from './toolchain.ts'

export interface UpOptions {
  readonly folder: string
  /** Absent: all but toxiproxy. */
  readonly servers?: readonly ServerName[]
  /** 1 or 3; absent: as the folder was started before, else 1. */
  readonly brokers?: number
  readonly portOffset?: number
  readonly settings?: Settings
  /** More options for the JVM of a server, behind its own: the last one counts. Absent: as the folder was started before. */
  readonly jvm?: JvmOptions
  readonly say?: Say
}

function placeOf(stackFolder: string, plan: Plan, name: string, say: Say): Place {
  const ports = portsOf(plan.portOffset, plan.brokers)
  return { ...plan, stackFolder, folder: join(stackFolder, name), ports, say }
}

/** The processes of a kind in a stack with this plan: one, or a broker each. */
function serversOf(stackFolder: string, plan: Plan, kind: ServerName, say: Say): Server[] {
  const at = (name: string): Place => placeOf(stackFolder, plan, name, say)
  if (kind === 'cassandra') return [cassandraServer(at('cassandra'))]
  if (kind === 'influxdb') return [influxServer(at('influxdb'))]
  if (kind === 'postgres') return [postgresServer(at('postgres'))]
  if (kind === 'toxiproxy') return [toxiproxyServer(at('toxiproxy'))]
  return Array.from({ length: plan.brokers }, (_, index) => kafkaServer(at(brokerName(index + 1)), index + 1))
}

/** What is missing on this machine to run these servers, as errors that say how to get it. */
export function missingTools(
  servers: readonly ServerName[] = serverNames,
): { server: ServerName; error: CryptosError }[] {
  return servers.flatMap(server => {
    const fetched = server === 'postgres' || isFetched(server)
    const tools: Tool[] = [...toolsOf[server].run, ...(fetched ? [] : toolsOf[server].fetch)]
    return tools
      .filter(tool => findTool(tool) === undefined)
      .map(tool => ({ server, error: missingTool(tool, server) }))
  })
}

function planFor(folder: string, options: UpOptions): Plan {
  const before = readPlan(folder)
  const jvm = options.jvm ?? before?.jvm
  const plan: Plan = {
    portOffset: options.portOffset ?? before?.portOffset ?? 0,
    brokers: options.brokers ?? before?.brokers ?? 1,
    settings: options.settings ?? before?.settings ?? {},
    ...(jvm ? { jvm } : {}),
  }
  const running = allRecords(folder).filter(isAlive)
  if (before && running.length > 0 && JSON.stringify(before) !== JSON.stringify(plan)) {
    const names = running.map(each => each.name).join(', ')
    throw new CryptosError(
      'CRY_USAGE',
      `${names} in ${folder} run with other options: stop them with "down" first`,
    )
  }
  return plan
}

/** Throws one error that holds all of them. */
function throwAll(results: readonly PromiseSettledResult<unknown>[]): void {
  const errors = results.filter(result => result.status === 'rejected').map(result => result.reason as Error)
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1 || !(first instanceof CryptosError)) throw first
  throw new CryptosError(first.code, errors.map(error => error.message).join('\n'), { cause: first })
}

async function waitForBrokers(plan: Plan): Promise<void> {
  const until = performance.now() + readyLimitMs
  for (const broker of portsOf(plan.portOffset, plan.brokers).kafka) {
    while ((await kafkaBrokers(broker.client)).length < plan.brokers) {
      if (performance.now() > until) {
        throw new CryptosError(
          'CRY_SERVER_UNREACHABLE',
          `the brokers did not find each other within ${readyLimitMs / 1000} s`,
        )
      }
      await sleep(50)
    }
  }
}

/** Starts what does not run, waits until all answer by their protocols, and says where. */
export function up(options: UpOptions): Promise<Addresses> {
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true })
  return locked(folder, async () => {
    const plan = planFor(folder, options)
    const say = options.say ?? (() => undefined)
    const kinds = options.servers?.length ? options.servers : usualServers
    const missing = missingTools(kinds).map(each => Promise.reject(each.error))
    throwAll(await Promise.allSettled(missing))
    writePlan(folder, plan)
    const servers = kinds.flatMap(kind => serversOf(folder, plan, kind, say))
    throwAll(
      await Promise.allSettled(
        servers.map(async server => {
          const started = await ensureRunning(folder, server)
          say(`${server.name}: ${started ? 'ready' : 'was ready'} at ${server.address}`)
        }),
      ),
    )
    if (kinds.includes('kafka') && plan.brokers > 1) await waitForBrokers(plan)
    return addressesOf(folder, plan)
  })
}

const wanted = (record: ServerRecord, names: readonly string[]): boolean =>
  names.length === 0 || names.includes(record.kind) || names.includes(record.name)

/** Stops the servers, all of the folder if none is named; returns the names of those that ran. */
export async function down(
  folder: string,
  names: readonly string[] = [],
  patienceMs = 15_000,
): Promise<string[]> {
  const stackFolder = resolve(folder)
  const plan = readPlan(stackFolder)
  if (plan === undefined) return []
  return locked(stackFolder, async () => {
    const records = allRecords(stackFolder).filter(record => wanted(record, names))
    const running = records.filter(isAlive).map(record => record.name)
    await Promise.all(
      records.map(async record => {
        await stopProcess(record, serverNamed(stackFolder, record.name).stopSignal, patienceMs)
        removeRecord(stackFolder, record.name)
      }),
    )
    return running
  })
}

/** The server of a folder's plan by the name of its process. */
function serverNamed(folder: string, name: string): Server {
  const plan = readPlan(folder)
  const kind = serverNames.find(each => name === each || name.startsWith(`${each}-`))
  const found =
    plan && kind && serversOf(folder, plan, kind, () => undefined).find(each => each.name === name)
  if (!found) throw new CryptosError('CRY_USAGE', `there is no server ${name} in ${folder}`)
  return found
}

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
  if (record) await stopProcess(record, server.stopSignal)
  await ensureRunning(stackFolder, server)
}

/** Where the servers of a folder are to be found, running or not. */
export function addresses(folder: string): Addresses {
  const stackFolder = resolve(folder)
  const plan = readPlan(stackFolder)
  if (!plan) throw new CryptosError('CRY_USAGE', `there is no stack in ${stackFolder}: "up" makes one`)
  return addressesOf(stackFolder, plan)
}
