import { basename } from 'node:path'
import type { ServerName } from '../../scripts/stack/pins.ts'
import { serverNames, usualServers } from '../../scripts/stack/pins.ts'

/** All but Airflow, which is not started for those that do not ask for it. */
export const commonServers: readonly ServerName[] = serverNames.filter(name => name !== 'airflow')

/** Files of this folder that need not all: those that start one server themselves, and those without faults of the network. */
const exceptions: Readonly<Record<string, readonly ServerName[]>> = {
  // They start an Airflow of their own.
  'airflow-launcher': ['postgres'],
  'airflow-run': usualServers,
  'audit-cassandra-influxdb': usualServers,
  'broker-outages': usualServers,
  'cassandra-roles': ['cassandra'],
  compose: [],
  'consumer-kills': usualServers,
  dags: [],
  'deployed-airflow': [],
  'full-profile': usualServers,
  'influxdb-users': ['influxdb'],
  'kafka-acls': ['kafka'],
  'paused-consumer': usualServers,
  launcher: ['influxdb', 'postgres', 'toxiproxy'],
  poison: usualServers,
  'postgres-roles': ['postgres'],
}

const nameOf = (path: string): string => basename(path).replace(/\.(stack|soak)\.ts$/, '')
const isAirflow = (name: string): boolean => /^airflow(-|$)/.test(name)

/**
 * The servers that a test file needs: beside an adapter those that its path names; in `test/stack` all but Airflow, but for the
 * exceptions, and `airflow-*` the usual ones and Airflow.
 */
export function neededBy(path: string): readonly ServerName[] {
  if (/(^|\/)test\/stack\//.test(path)) {
    const name = nameOf(path)
    return exceptions[name] ?? (isAirflow(name) ? [...usualServers, 'airflow'] : commonServers)
  }
  const named = serverNames.filter(name => path.includes(name))
  return named.length > 0 ? named : commonServers
}

/** Whether a run of these files is to start Airflow beside the common servers. */
export const wantAirflow = (paths: readonly string[]): boolean =>
  paths.some(path => neededBy(path).includes('airflow'))
