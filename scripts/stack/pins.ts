/** The versions of the servers: the launcher, the tests and `docker-compose.yml` run these and no others. */
export const pins = {
  kafka: '4.3.1',
  cassandra: '5.0.8',
  influxdb: '1.8.10',
  /** The major version; the distribution's own patch release is taken. */
  postgres: '15',
  toxiproxy: '2.12.0',
  compose: '5.6.1.0',
  airflow: '3.3.2',
} as const

export const serverNames = ['kafka', 'cassandra', 'influxdb', 'postgres', 'toxiproxy', 'airflow'] as const
export type ServerName = (typeof serverNames)[number]

/** What `up` starts when nothing is named: all but the proxy for faults and the scheduler. */
export const usualServers: readonly ServerName[] = ['kafka', 'cassandra', 'influxdb', 'postgres']

export const isServerName = (text: string): text is ServerName =>
  (serverNames as readonly string[]).includes(text)

/** What `up` starts for these names. Airflow runs on PostgreSQL; named alone it brings what its tasks collect into. */
export function withImplied(names: readonly ServerName[]): readonly ServerName[] {
  if (names.length === 0) return usualServers
  if (!names.includes('airflow')) return names
  const beside = names.length === 1 ? usualServers : (['postgres'] as const)
  return [...new Set([...beside, ...names])]
}
