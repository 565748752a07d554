import { basename } from 'node:path'
import type { ServerName } from '../../scripts/stack/pins.ts'
import { serverNames, usualServers } from '../../scripts/stack/pins.ts'

/** Files of this folder that need not all: those that start one server themselves, and those without faults of the network. */
const exceptions: Readonly<Record<string, readonly ServerName[]>> = {
  'audit-cassandra-influxdb': usualServers,
  'broker-outages': usualServers,
  'cassandra-roles': ['cassandra'],
  compose: [],
  'consumer-kills': usualServers,
  'full-profile': usualServers,
  'influxdb-users': ['influxdb'],
  'kafka-acls': ['kafka'],
  'paused-consumer': usualServers,
  launcher: ['influxdb', 'postgres', 'toxiproxy'],
  poison: usualServers,
  'postgres-roles': ['postgres'],
}

/** The servers that a test file needs: beside an adapter those that its path names; in `test/stack` all, but for the exceptions. */
export function neededBy(path: string): readonly ServerName[] {
  if (/(^|\/)test\/stack\//.test(path))
    return exceptions[basename(path).replace(/\.(stack|soak)\.ts$/, '')] ?? serverNames
  const named = serverNames.filter(name => path.includes(name))
  return named.length > 0 ? named : serverNames
}
