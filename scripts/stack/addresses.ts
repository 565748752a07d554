import { join } from 'node:path'
import type { Ports } from './ports.ts'
import { portsOf } from './ports.ts'
import type { Plan } from './server.ts'
import { airflowPaths, airflowUrl } from './servers/airflow-files.ts'
import { datacenter } from './servers/cassandra.ts'
import { passwordFile, passwordsOf } from './servers/postgres.ts'
import { readRecord } from './state.ts'

/** Where the servers are. The password of PostgreSQL is in its addresses: they are for programs, not for a log. */
export interface Addresses {
  readonly folder: string
  readonly portOffset: number
  readonly kafka: { readonly brokers: string[] }
  readonly cassandra: { readonly host: string; readonly port: number; readonly datacenter: string }
  readonly influxdb: { readonly url: string }
  /** As the owner of the database `cryptos`, and as superuser; the file holds the owner's password alone. */
  readonly postgres: { readonly url: string; readonly adminUrl: string; readonly passwordFile: string }
  readonly toxiproxy?: { readonly url: string }
  /** Its users `admin` and `viewer`: the file is `{"admin":"…","viewer":"…"}`. At `sandboxUrl` simulated providers may be started. */
  readonly airflow?: {
    readonly url: string
    readonly passwordsFile: string
    readonly home: string
    readonly sandboxUrl: string
  }
}

function airflowOf(folder: string, ports: Ports): Required<Addresses>['airflow'] {
  const { home, passwords: passwordsFile } = airflowPaths(folder)
  const sandboxUrl = `http://127.0.0.1:${ports.airflow.sandbox}`
  return { url: airflowUrl({ ports }), passwordsFile, home, sandboxUrl }
}

export function addressesOf(folder: string, plan: Plan): Addresses {
  const ports = portsOf(plan.portOffset, plan.brokers)
  const started = (name: string): boolean => readRecord(folder, name) !== undefined
  const passwords = started('postgres')
    ? passwordsOf(join(folder, 'postgres'))
    : { cryptos: '', postgres: '' }
  const database = `127.0.0.1:${ports.postgres.client}/cryptos`
  return {
    folder,
    portOffset: plan.portOffset,
    kafka: { brokers: ports.kafka.map(each => `127.0.0.1:${each.client}`) },
    cassandra: { host: '127.0.0.1', port: ports.cassandra.client, datacenter },
    influxdb: { url: `http://127.0.0.1:${ports.influxdb.client}` },
    postgres: {
      url: `postgres://cryptos:${passwords.cryptos}@${database}`,
      adminUrl: `postgres://postgres:${passwords.postgres}@${database}`,
      passwordFile: passwordFile(join(folder, 'postgres')),
    },
    ...(started('toxiproxy') ? { toxiproxy: { url: `http://127.0.0.1:${ports.toxiproxy.client}` } } : {}),
    ...(started('airflow-api') ? { airflow: airflowOf(folder, ports) } : {}),
  }
}
