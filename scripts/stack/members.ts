import { join } from 'node:path'
import { CryptosError } from '../../core/errors.ts'
import type { Say } from './fetch.ts'
import { serverNames } from './pins.ts'
import type { ServerName } from './pins.ts'
import { portsOf } from './ports.ts'
import type { Place, Plan, Server } from './server.ts'
import { airflowServers } from './servers/airflow.ts'
import { cassandraServer } from './servers/cassandra.ts'
import { influxServer } from './servers/influxdb.ts'
import { brokerName, kafkaServer } from './servers/kafka.ts'
import { postgresServer } from './servers/postgres.ts'
import { toxiproxyServer } from './servers/toxiproxy.ts'
import { readPlan } from './state.ts'

function placeOf(stackFolder: string, plan: Plan, name: string, say: Say): Place {
  const ports = portsOf(plan.portOffset, plan.brokers)
  return { ...plan, stackFolder, folder: join(stackFolder, name), ports, say }
}

/** The processes of a kind in a stack with this plan: one, or a broker each. */
export function serversOf(stackFolder: string, plan: Plan, kind: ServerName, say: Say): Server[] {
  const at = (name: string): Place => placeOf(stackFolder, plan, name, say)
  if (kind === 'cassandra') return [cassandraServer(at('cassandra'))]
  if (kind === 'influxdb') return [influxServer(at('influxdb'))]
  if (kind === 'postgres') return [postgresServer(at('postgres'))]
  if (kind === 'airflow') return airflowServers(at)
  if (kind === 'toxiproxy') return [toxiproxyServer(at('toxiproxy'))]
  return Array.from({ length: plan.brokers }, (_, index) => kafkaServer(at(brokerName(index + 1)), index + 1))
}

/** The server of a folder's plan by the name of its process. */
export function serverNamed(folder: string, name: string): Server {
  const plan = readPlan(folder)
  const kind = serverNames.find(each => name === each || name.startsWith(`${each}-`))
  const found =
    plan && kind && serversOf(folder, plan, kind, () => undefined).find(each => each.name === name)
  if (!found) throw new CryptosError('CRY_USAGE', `there is no server ${name} in ${folder}`)
  return found
}
