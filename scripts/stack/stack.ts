import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../core/errors.ts'
import type { Addresses } from './addresses.ts'
import { addressesOf } from './addresses.ts'
import { wanted } from './control.ts'
import type { Say } from './fetch.ts'
import { fetchAll } from './fetch.ts'
import { locked } from './lock.ts'
import { serversOf } from './members.ts'
import { missingTools } from './missing.ts'
import type { ServerName } from './pins.ts'
import { withImplied } from './pins.ts'
import { portsOf } from './ports.ts'
import { kafkaBrokers } from './probes.ts'
import { isAlive } from './processes.ts'
import type { JvmOptions, Plan, Server, Settings } from './server.ts'
import { ensureRunning, readyLimitOf } from './start.ts'
import { allRecords, readPlan, writePlan } from './state.ts'
import { stopAll, stopServer, stopStages } from './stopping.ts'

export type { ServerStatus } from './control.ts'
export { kill, restart, status } from './control.ts'
export { missingTools } from './missing.ts'

export interface UpOptions {
  readonly folder: string
  /** Absent: Kafka, Cassandra, InfluxDB and PostgreSQL. `airflow` alone: those and Airflow; with others: those, PostgreSQL and Airflow. */
  readonly servers?: readonly ServerName[]
  /** 1 or 3; absent: as the folder was started before, else 1. */
  readonly brokers?: number
  readonly portOffset?: number
  readonly settings?: Settings
  /** More options for the JVM of a server, behind its own: the last one counts. Absent: as the folder was started before. */
  readonly jvm?: JvmOptions
  /** How long each server may take until it answers. Absent: as the folder was started before, else 90 s. */
  readonly readyLimitMs?: number
  /** More of the environment of Airflow's processes and so of its tasks, above all else. Absent: as the folder was started before. Kept in the folder: no secrets. */
  readonly airflowEnv?: Readonly<Record<string, string>>
  readonly say?: Say
}

function planFor(folder: string, options: UpOptions): Plan {
  const before = readPlan(folder)
  const jvm = options.jvm ?? before?.jvm
  const readyLimitMs = options.readyLimitMs ?? before?.readyLimitMs
  const airflowEnv = options.airflowEnv ?? before?.airflowEnv
  const plan: Plan = {
    portOffset: options.portOffset ?? before?.portOffset ?? 0,
    brokers: options.brokers ?? before?.brokers ?? 1,
    settings: options.settings ?? before?.settings ?? {},
    ...(jvm ? { jvm } : {}),
    ...(readyLimitMs ? { readyLimitMs } : {}),
    ...(airflowEnv ? { airflowEnv } : {}),
  }
  const running = allRecords(folder).filter(isAlive)
  if (before && running.length > 0 && JSON.stringify(before) !== JSON.stringify(plan)) {
    const names = running.map(each => each.name).join(', ')
    throw new CryptosError(
      'CRY_USAGE',
      `${names} in ${folder} run with other options: stop them with "down" first`,
    )
  }
  if (before && before.brokers !== plan.brokers && existsSync(join(folder, 'kafka', 'data'))) {
    throw new CryptosError(
      'CRY_USAGE',
      `Kafka in ${folder} was made with --brokers ${before.brokers}: keep that, or take another --folder`,
    )
  }
  return plan
}

/** Throws one error that holds all of them. */
function throwAll(errors: readonly Error[]): void {
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1 || !(first instanceof CryptosError)) throw first
  throw new CryptosError(first.code, errors.map(error => error.message).join('\n'), { cause: first })
}

async function waitForBrokers(folder: string, plan: Plan): Promise<void> {
  const readyLimitMs = readyLimitOf(folder)
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

async function startTogether(folder: string, servers: readonly Server[], say: Say): Promise<void> {
  const results = await Promise.allSettled(
    servers.map(async server => {
      const started = await ensureRunning(folder, server)
      say(`${server.name}: ${started ? 'ready' : 'was ready'} at ${server.address}`)
    }),
  )
  throwAll(results.filter(each => each.status === 'rejected').map(each => each.reason as Error))
}

/** Starts what does not run, waits until all answer by their protocols, and says where. */
export function up(options: UpOptions): Promise<Addresses> {
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true })
  return locked(folder, async () => {
    const plan = planFor(folder, options)
    const say = options.say ?? (() => undefined)
    const kinds = withImplied(options.servers ?? [])
    throwAll(missingTools(kinds).map(each => each.error))
    await fetchAll(kinds, say)
    writePlan(folder, plan)
    const servers = kinds.flatMap(kind => serversOf(folder, plan, kind, say))
    // Airflow keeps its state in PostgreSQL, so it comes after all the others.
    for (const isLast of [false, true]) {
      const stage = servers.filter(server => (server.kind === 'airflow') === isLast)
      await startTogether(folder, stage, say)
    }
    if (kinds.includes('kafka') && plan.brokers > 1) await waitForBrokers(folder, plan)
    return addressesOf(folder, plan)
  })
}

/**
 * Stops the servers, all of the folder if none is named; returns the names of those that ran.
 * @throws CryptosError CRY_SERVER_BUSY when one does not even end by SIGKILL: it stays known
 */
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
    for (const stage of stopStages(records))
      await stopAll(stackFolder, stage, record => stopServer(stackFolder, record, patienceMs))
    return running
  })
}

/** Where the servers of a folder are to be found, running or not. */
export function addresses(folder: string): Addresses {
  const stackFolder = resolve(folder)
  const plan = readPlan(stackFolder)
  if (!plan) throw new CryptosError('CRY_USAGE', `there is no stack in ${stackFolder}: "up" makes one`)
  return addressesOf(stackFolder, plan)
}
