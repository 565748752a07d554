import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toCryptosError } from '../../core/errors.ts'
import { cached, shortHash } from './cache.ts'
import type { Say } from './fetch.ts'
import { kafkaBrokers } from './probes.ts'
import { identify, isAlive, stopProcess } from './processes.ts'
import { kafkaLogging, kafkaProperties } from './servers/kafka-properties.ts'
import { javaVersion, run } from './toolchain.ts'

const jvmFlags = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => new Promise(resolve => server.once('listening', resolve))))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** A throw-away broker that is started and stopped once, so that the JVM writes down which classes it loaded. */
async function record(java: string, jars: string, folder: string): Promise<void> {
  const [client = 0, controller = 0, behindProxy = 0, proxied = 0, extra = 0] = await freePorts(5)
  const ports = { kafka: [{ client, controller, behindProxy, proxied, extra }] }
  const place = { folder, ports, brokers: 1, settings: {} } as unknown as Parameters<
    typeof kafkaProperties
  >[0]
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'log4j2.properties'), kafkaLogging)
  const properties = join(folder, 'server.properties')
  writeFileSync(properties, kafkaProperties(place, 1))
  const jvm = [...jvmFlags, `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`]
  const format = [
    '-cp',
    jars,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'AAAAAAAAAAAAAAAAAAAAAA',
    '-c',
    properties,
  ]
  await run(java, [...jvm, '-Dlvl=ERROR', ...format], folder)
  const archive = `-XX:ArchiveClassesAtExit=${join(folder, 'kafka.jsa')}`
  const child = spawn(java, [...jvm, archive, '-cp', jars, 'kafka.Kafka', properties], { stdio: 'ignore' })
  if (child.pid === undefined) throw new Error('java did not start')
  const id = identify(child.pid)
  try {
    const until = performance.now() + 60_000
    while (isAlive(id) && performance.now() < until && (await kafkaBrokers(client)).length === 0)
      await sleep(200)
  } finally {
    // Writing the archive is part of the stop.
    await stopProcess(id, 'SIGTERM', 60_000)
  }
  if (!existsSync(join(folder, 'kafka.jsa'))) throw new Error('the JVM wrote no archive')
}

/** The class data archive of Kafka, which halves its start; undefined where none can be made. */
export async function kafkaArchive(java: string, jars: string, say: Say): Promise<string | undefined> {
  const name = `kafka-classes-${shortHash(`${jars}\n${java}\n${javaVersion(java)}`)}`
  try {
    const folder = await cached(name, aside => {
      say('kafka: recording its classes for faster starts (once, about 15 s)')
      return record(java, jars, aside)
    })
    return join(folder, 'kafka.jsa')
  } catch (error) {
    say(`kafka: starts without an archive of its classes: ${toCryptosError(error).message}`)
    return undefined
  }
}
