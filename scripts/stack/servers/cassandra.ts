import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { classPath } from '../fetch.ts'
import { cassandraReady } from '../probes.ts'
import type { Launch, Place, Server } from '../server.ts'
import { needTool } from '../toolchain.ts'
import { cassandraJvm, cassandraLogging, cassandraYaml } from './cassandra-config.ts'

/** The name that SimpleSnitch gives to the data centre of its one node. */
export const datacenter = 'datacenter1'

async function prepare(place: Place): Promise<Launch> {
  const java = needTool('java', 'Cassandra')
  const jars = await classPath('cassandra', place.say)
  writeFileSync(join(place.folder, 'cassandra.yaml'), cassandraYaml(place))
  writeFileSync(join(place.folder, 'logback.xml'), cassandraLogging)
  const daemon = 'org.apache.cassandra.service.CassandraDaemon'
  return {
    file: java,
    args: [...cassandraJvm(place.folder), ...(place.jvm?.cassandra ?? []), '-cp', jars, daemon],
  }
}

/** One node of Cassandra that is a cluster of its own. */
export const cassandraServer = (place: Place): Server => ({
  name: 'cassandra',
  kind: 'cassandra',
  address: `127.0.0.1:${place.ports.cassandra.client}`,
  listens: [place.ports.cassandra.client, place.ports.cassandra.storage],
  stopSignal: 'SIGTERM',
  prepare: () => prepare(place),
  ready: () => cassandraReady(place.ports.cassandra.client),
})
