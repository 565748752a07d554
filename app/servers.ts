import { readFileSync } from 'node:fs'
import type { Clock } from '../core/ports/clock.ts'
import { CryptosError } from '../core/errors.ts'
import { systemClock } from '../host/clock.ts'
import type { Login, TlsOptions } from '../core/server.ts'
import type { Config } from './config/load.ts'
import { readSecretFile } from './config/secret-file.ts'
import { type SettingName, settings } from './config/settings.ts'
import type { Source } from './source.ts'

/** Simulated data never share a store with live ones: what has one name on a server has another for them. */
const named = (name: string, source: Pick<Source, 'kind'>, mark = '_sandbox'): string =>
  source.kind === 'sandbox' ? `${name}${mark}` : name

/**
 * What `openKafkaBroker` wants. It waits for real servers by real time, whatever the clock of a simulation says.
 * @throws CryptosError CRY_CONFIG_INVALID for a PEM file that can not be read
 */
export function kafkaOptions(config: Config, source: Pick<Source, 'kind'>) {
  const login = loginOf(config.kafkaUsername, config.secrets['kafkaPassword'])
  const mechanism = config.kafkaSasl
  const tls = tlsOf(config, { ca: 'kafkaTlsCaFile', cert: 'kafkaTlsCertFile', key: 'kafkaTlsKeyFile' })
  return {
    brokers: config.kafkaBrokers,
    topicPrefix: named(config.topicPrefix, source, 'sandbox.'),
    replication: config.kafkaReplication,
    minInsyncReplicas: config.kafkaMinInsync,
    clock: systemClock,
    ...(config.kafkaTls ? { tls } : {}),
    ...(mechanism !== 'none' && login ? { login: { ...login, mechanism } } : {}),
  }
}

/** What `openCassandraSink` and its reader want. @throws CryptosError CRY_CONFIG_INVALID */
export function cassandraOptions(config: Config, source: Pick<Source, 'kind'>, clock: Clock) {
  const login = loginOf(config.cassandraUsername, config.secrets['cassandraPassword'])
  return {
    hosts: config.cassandraHosts,
    datacenter: config.cassandraDatacenter,
    keyspace: named(config.cassandraKeyspace, source),
    replication: config.cassandraReplication,
    ttlDays: config.cassandraTtlDays,
    acceptLossWindow: config.cassandraAcceptLossWindow,
    clock,
    ...(login ? { login } : {}),
    ...(config.cassandraTls ? { tls: tlsOf(config, { ca: 'cassandraTlsCaFile' }) } : {}),
  }
}

/** What `openInfluxSink` and its reader want. @throws CryptosError CRY_CONFIG_INVALID */
export function influxOptions(config: Config, source: Pick<Source, 'kind'>, clock: Clock) {
  const login = loginOf(config.influxUsername, config.secrets['influxPassword'])
  const token = config.secrets['influxToken']
  const coins = config.influxCoinDatabase
  return {
    url: config.influxUrl.replace(/\/$/, ''),
    database: named(config.influxDatabase, source),
    clock,
    ...(config.influxRetentionPolicy === '' ? {} : { retentionPolicy: config.influxRetentionPolicy }),
    ...(config.influxOrg === '' ? {} : { org: config.influxOrg }),
    ...(login ? { login } : {}),
    ...(token === undefined ? {} : { token }),
    ...(coins === undefined ? {} : { coinLineDatabase: named(coins, source) }),
    ...(config.influxUrl.startsWith('https') ? { tls: tlsOf(config, { ca: 'influxTlsCaFile' }) } : {}),
  }
}

/** What `openPostgresLedger` wants besides its spool. @throws CryptosError CRY_CONFIG_INVALID */
export function postgresOptions(config: Config, source: Pick<Source, 'kind'>, clock: Clock) {
  const password = config.secrets['postgresPassword']
  return {
    url: config.postgresUrl,
    schema: named(config.postgresSchema, source),
    clock,
    ...(password === undefined ? {} : { password }),
    ...(config.postgresTls ? { tls: tlsOf(config, { ca: 'postgresTlsCaFile' }) } : {}),
  }
}

const loginOf = (username: string | undefined, password: string | undefined): Login | undefined =>
  username === undefined ? undefined : { username, password: password ?? '' }

type PemSettings = Readonly<Partial<Record<keyof TlsOptions, SettingName>>>

function tlsOf(config: Config, names: PemSettings): TlsOptions {
  const texts = Object.entries(names).flatMap(([part, name]) => {
    const file = config[name]
    return typeof file === 'string' ? [[part, readPem(file, settings[name].env, part === 'key')]] : []
  })
  return Object.fromEntries(texts) as TlsOptions
}

function readPem(file: string, name: string, isSecret: boolean): string {
  if (isSecret) return readSecretFile(file, name, maxPemBytes)
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CryptosError('CRY_CONFIG_INVALID', `${name}: ${file} can not be read (${why})`, { cause })
  }
}

const maxPemBytes = 65_536
