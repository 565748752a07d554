import type { Addresses } from './addresses.ts'

/** The settings of `cryptos` for the servers of a stack, and where its Airflow is. The password stays in its file: this text may be seen. */
export function environmentOf(addresses: Addresses): Record<string, string> {
  const { kafka, cassandra, influxdb, postgres, airflow } = addresses
  const three = kafka.brokers.length > 1
  const url = new URL(postgres.url)
  url.password = ''
  return {
    CRYPTOS_PROFILE: 'full',
    CRYPTOS_KAFKA_BROKERS: kafka.brokers.join(','),
    ...(three ? { CRYPTOS_KAFKA_REPLICATION: '3', CRYPTOS_KAFKA_MIN_INSYNC: '2' } : {}),
    CRYPTOS_CASSANDRA_HOSTS: `${cassandra.host}:${cassandra.port}`,
    CRYPTOS_CASSANDRA_DATACENTER: cassandra.datacenter,
    CRYPTOS_INFLUXDB_URL: influxdb.url,
    CRYPTOS_POSTGRES_URL: url.href,
    CRYPTOS_POSTGRES_PASSWORD_FILE: postgres.passwordFile,
    ...(airflow ? { AIRFLOW_URL: airflow.url, AIRFLOW_PASSWORDS_FILE: airflow.passwordsFile } : {}),
  }
}

export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** As lines for a shell to read. */
export const exportLines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('')
