import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaArchive } from '../class-archive.ts'
import { classPath } from '../fetch.ts'
import { kafkaBrokers } from '../probes.ts'
import type { Launch, Place, Server } from '../server.ts'
import { needTool, run } from '../toolchain.ts'
import { kafkaLogging, kafkaProperties } from './kafka-properties.ts'

export const brokerName = (nodeId: number): string => (nodeId === 1 ? 'kafka' : `kafka-${nodeId}`)

/** How the JVM of a broker is set up; three of them share a machine with little memory each. */
export const kafkaJvm = (folder: string, brokers: number): string[] => [
  ...(brokers > 1 ? ['-Xms96m', '-Xmx256m'] : ['-Xms128m', '-Xmx384m']),
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
  '-Djava.net.preferIPv4Stack=true',
]

/** The id that all brokers of a stack were formatted with; 22 characters of base64, which must not begin with a dash. */
export function clusterId(stackFolder: string): string {
  const file = join(stackFolder, 'kafka-cluster-id')
  if (existsSync(file)) return readFileSync(file, 'utf8')
  const id = `A${randomBytes(16).toString('base64url').slice(1)}`
  writeFileSync(file, id)
  return id
}

async function prepare(place: Place, nodeId: number): Promise<Launch> {
  const java = needTool('java', 'Kafka')
  const jars = await classPath('kafka', place.say)
  const archive = await kafkaArchive(java, jars, place.say)
  const properties = join(place.folder, 'server.properties')
  writeFileSync(join(place.folder, 'log4j2.properties'), kafkaLogging)
  writeFileSync(properties, kafkaProperties(place, nodeId))
  const jvm = [
    ...kafkaJvm(place.folder, place.brokers),
    ...(archive ? [`-XX:SharedArchiveFile=${archive}`] : []),
    ...(place.jvm?.kafka ?? []),
  ]
  if (!existsSync(join(place.folder, 'data', 'meta.properties'))) {
    mkdirSync(join(place.folder, 'data'), { recursive: true })
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(place.stackFolder), '-c', properties]
    await run(java, [...jvm, '-Dlvl=ERROR', '-cp', jars, ...format], place.folder)
  }
  return { file: java, args: [...jvm, '-cp', jars, 'kafka.Kafka', properties] }
}

/** One broker of a stack. */
export function kafkaServer(place: Place, nodeId: number): Server {
  const ports = place.ports.kafka[nodeId - 1]
  if (!ports) throw new RangeError(`there is no broker ${nodeId}`)
  return {
    name: brokerName(nodeId),
    kind: 'kafka',
    address: `127.0.0.1:${ports.client}`,
    listens: [ports.client, ports.controller, ports.behindProxy],
    stopSignal: 'SIGTERM',
    prepare: () => prepare(place, nodeId),
    // It answers once it is registered anew and no longer fenced.
    ready: async () => (await kafkaBrokers(ports.client)).includes(nodeId),
  }
}
