import * as z from 'zod/mini'
import { setting } from './setting.ts'
import { flag, hostPorts, list, matching, oneOf, text, wholeNumber } from './schemas.ts'

const optionalText = () => z.optional(text())
const name = (expected: string) => matching(/^[A-Za-z0-9_.-]{0,64}$/, expected)
const identifier = () =>
  matching(/^[a-z][a-z0-9_]{0,39}$/, 'a name of small letters, digits and underscores is wanted')

/** Which parts are servers, and where they are. Nothing of it counts in the embedded profile. */
export const serverSettings = {
  profile: setting(
    'CRYPTOS_PROFILE',
    () => oneOf('embedded', 'full'),
    'embedded',
    '`embedded` = ledger, topics and store are files of this machine; `full` = PostgreSQL, Kafka, Cassandra and InfluxDB; the three settings below choose one part differently',
  ),
  ledger: setting(
    'CRYPTOS_LEDGER',
    () => oneOf('auto', 'sqlite', 'postgres'),
    'auto',
    'Where the quota ledger is; `auto` = as the profile says',
  ),
  broker: setting(
    'CRYPTOS_BROKER',
    () => oneOf('auto', 'embedded', 'kafka'),
    'auto',
    'Where the topics are; `auto` = as the profile says',
  ),
  sinks: setting(
    'CRYPTOS_SINKS',
    list,
    [],
    'Where `process` stores: sqlite, cassandra, influxdb, separated by commas; without a word as the profile says',
  ),
  kafkaBrokers: setting(
    'CRYPTOS_KAFKA_BROKERS',
    hostPorts,
    ['127.0.0.1:19092'],
    'Kafka brokers as host:port, separated by commas',
  ),
  topicPrefix: setting(
    'CRYPTOS_TOPIC_PREFIX',
    () => name('at most 64 letters, digits, dots, dashes and underscores are wanted'),
    '',
    'Goes before the name of every Kafka topic and group; simulated data get `sandbox.` behind it',
  ),
  kafkaReplication: setting(
    'CRYPTOS_KAFKA_REPLICATION',
    () => wholeNumber(1, 9),
    1,
    'Copies of each topic that is made; with three brokers take 3',
  ),
  kafkaMinInsync: setting(
    'CRYPTOS_KAFKA_MIN_INSYNC',
    () => wholeNumber(1, 9),
    1,
    'Copies that must have a record before it counts as written; with three brokers take 2',
  ),
  kafkaTls: setting('CRYPTOS_KAFKA_TLS', flag, false, 'Speak TLS to Kafka; the name of the host is verified'),
  kafkaTlsCaFile: setting(
    'CRYPTOS_KAFKA_TLS_CA_FILE',
    optionalText,
    undefined,
    'PEM file of the authority that signed the certificates of the brokers; without a word those of the system',
  ),
  kafkaTlsCertFile: setting(
    'CRYPTOS_KAFKA_TLS_CERT_FILE',
    optionalText,
    undefined,
    'PEM file of our own certificate, where the brokers want one',
  ),
  kafkaTlsKeyFile: setting(
    'CRYPTOS_KAFKA_TLS_KEY_FILE',
    optionalText,
    undefined,
    'PEM file of its key; only its owner may read it',
  ),
  kafkaSasl: setting(
    'CRYPTOS_KAFKA_SASL',
    () => oneOf('none', 'plain', 'scram-sha-256', 'scram-sha-512'),
    'none',
    'How one logs in to Kafka; `plain` is refused without TLS',
  ),
  kafkaUsername: setting('CRYPTOS_KAFKA_USERNAME', optionalText, undefined, 'User of Kafka'),
  cassandraHosts: setting(
    'CRYPTOS_CASSANDRA_HOSTS',
    hostPorts,
    ['127.0.0.1:19042'],
    'Cassandra nodes as host:port, separated by commas; one port for all',
  ),
  cassandraDatacenter: setting(
    'CRYPTOS_CASSANDRA_DATACENTER',
    text,
    'datacenter1',
    'Data center of those nodes',
  ),
  cassandraKeyspace: setting(
    'CRYPTOS_CASSANDRA_KEYSPACE',
    identifier,
    'market',
    'Keyspace of the tables; simulated data get one with `_sandbox` behind the name',
  ),
  cassandraReplication: setting(
    'CRYPTOS_CASSANDRA_REPLICATION',
    () => wholeNumber(1, 9),
    1,
    'Copies in a keyspace that is made; with three nodes take 3',
  ),
  cassandraTtlDays: setting(
    'CRYPTOS_CASSANDRA_TTL_DAYS',
    () => wholeNumber(0, 7_000),
    0,
    'Days until Cassandra removes what is in its tables by itself; 0 = never',
  ),
  cassandraUsername: setting('CRYPTOS_CASSANDRA_USERNAME', optionalText, undefined, 'Role of Cassandra'),
  cassandraTls: setting(
    'CRYPTOS_CASSANDRA_TLS',
    flag,
    false,
    'Speak TLS to Cassandra; the name of the host is verified',
  ),
  cassandraTlsCaFile: setting(
    'CRYPTOS_CASSANDRA_TLS_CA_FILE',
    optionalText,
    undefined,
    'PEM file of the authority that signed the certificates of the nodes',
  ),
  cassandraAcceptLossWindow: setting(
    'CRYPTOS_CASSANDRA_ACCEPT_LOSS_WINDOW',
    flag,
    false,
    'Store into a single node whose commit log is synced periodically, although it may lose what it acknowledged last; after an unclean stop `cryptos process --rewind 30s`',
  ),
  influxUrl: setting(
    'CRYPTOS_INFLUXDB_URL',
    () => matching(/^https?:\/\/[A-Za-z0-9.:[\]-]+\/?$/, 'a URL such as http://127.0.0.1:18086 is wanted'),
    'http://127.0.0.1:18086',
    'InfluxDB 1.8, or 2.x by its HTTP contract',
  ),
  influxDatabase: setting(
    'CRYPTOS_INFLUXDB_DATABASE',
    identifier,
    'cryptos',
    'Database (2.x: bucket); simulated data get one with `_sandbox` behind the name',
  ),
  influxRetentionPolicy: setting(
    'CRYPTOS_INFLUXDB_RETENTION_POLICY',
    () => name('the name of a retention policy is wanted'),
    '',
    'Retention policy of that database; without a word its default',
  ),
  influxOrg: setting(
    'CRYPTOS_INFLUXDB_ORG',
    () => name('the name of an organisation is wanted'),
    '',
    'Organisation, for InfluxDB 2.x alone',
  ),
  influxUsername: setting('CRYPTOS_INFLUXDB_USERNAME', optionalText, undefined, 'User of InfluxDB 1.8'),
  influxTlsCaFile: setting(
    'CRYPTOS_INFLUXDB_TLS_CA_FILE',
    optionalText,
    undefined,
    'PEM file of the authority that signed its certificate',
  ),
  influxCoinDatabase: setting(
    'CRYPTOS_INFLUXDB_COIN_DATABASE',
    () => z.optional(identifier()),
    undefined,
    'Write the one-field-per-coin line `cryptos BTC-USD=19890.1212` into this database too (`cryptos_db` for dashboards made for it)',
  ),
  postgresUrl: setting(
    'CRYPTOS_POSTGRES_URL',
    () =>
      matching(
        /^postgres(ql)?:\/\/[^:@/\s]+@[^@\s/]+\/[A-Za-z0-9_-]+$/,
        'postgres://USER@HOST:PORT/DATABASE is wanted; the password comes from CRYPTOS_POSTGRES_PASSWORD_FILE',
      ),
    'postgres://cryptos@127.0.0.1:15432/cryptos',
    'PostgreSQL of the quota ledger; the password comes from CRYPTOS_POSTGRES_PASSWORD_FILE',
  ),
  postgresSchema: setting(
    'CRYPTOS_POSTGRES_SCHEMA',
    identifier,
    'cryptos',
    'Schema of its tables; simulated data get one with `_sandbox` behind the name',
  ),
  postgresTls: setting(
    'CRYPTOS_POSTGRES_TLS',
    flag,
    false,
    'Speak TLS to PostgreSQL; the name of the host is verified',
  ),
  postgresTlsCaFile: setting(
    'CRYPTOS_POSTGRES_TLS_CA_FILE',
    optionalText,
    undefined,
    'PEM file of the authority that signed its certificate',
  ),
} as const

/** Passwords of servers. */
export const serverSecrets = {
  kafkaPassword: {
    env: 'CRYPTOS_KAFKA_PASSWORD',
    doc: 'Password of the Kafka user; or CRYPTOS_KAFKA_PASSWORD_FILE',
  },
  cassandraPassword: {
    env: 'CRYPTOS_CASSANDRA_PASSWORD',
    doc: 'Password of the Cassandra role; or CRYPTOS_CASSANDRA_PASSWORD_FILE',
  },
  influxPassword: {
    env: 'CRYPTOS_INFLUXDB_PASSWORD',
    doc: 'Password of the InfluxDB user, without a colon; or CRYPTOS_INFLUXDB_PASSWORD_FILE',
  },
  influxToken: {
    env: 'CRYPTOS_INFLUXDB_TOKEN',
    doc: 'Token of InfluxDB 2.x; or CRYPTOS_INFLUXDB_TOKEN_FILE',
  },
  postgresPassword: {
    env: 'CRYPTOS_POSTGRES_PASSWORD',
    doc: 'Password of the PostgreSQL user; or CRYPTOS_POSTGRES_PASSWORD_FILE',
  },
} as const satisfies Readonly<Record<string, { readonly env: string; readonly doc: string }>>
