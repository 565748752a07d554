import { join } from 'node:path'
import { portsOf } from './ports.ts'
import type { Plan } from './server.ts'
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
  }
}
