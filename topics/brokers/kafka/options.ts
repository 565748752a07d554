import type { KafkaConfig, LogEntry, SASLOptions } from 'kafkajs'
import { CryptosError } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Login, TlsOptions } from '../../../core/server.ts'

/** How the server asks for the password. `plain` sends it as it is, so it needs TLS. */
export type LoginMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512'

export interface KafkaOptions {
  /** `host:port` of some brokers; the rest are found by themselves. */
  readonly brokers: readonly string[]
  /** Told to the servers, for their logs and quotas. */
  readonly clientId?: string
  /** Goes before every topic and group name on the servers; callers never see it. */
  readonly topicPrefix?: string
  /** Copies of a partition, for topics that are made. */
  readonly replication: number
  /** Copies that must have a record before it is acknowledged. */
  readonly minInsyncReplicas: number
  readonly tls?: TlsOptions
  readonly login?: Login & { readonly mechanism: LoginMechanism }
  readonly clock: Clock
  /** Given what kafkajs would log: warnings and errors, most of them about tries that are repeated. Absent = nowhere. */
  readonly log?: (line: KafkaLogLine) => void
}

export interface KafkaLogLine {
  readonly level: 'error' | 'warn'
  readonly message: string
  readonly broker?: string
}

const levels = { error: 1, warn: 2 } as const

/** Retries of kafkajs inside one call. All are set: its defaults differ by NODE_ENV. Ours go on after them. */
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 5 }

/**
 * @throws CryptosError CRY_CONFIG_INVALID for settings that are wrong in themselves, before any connection
 */
export function checkOptions(options: KafkaOptions): void {
  const refuse = (why: string): never => {
    throw new CryptosError('CRY_CONFIG_INVALID', `Kafka: ${why}`)
  }
  if (options.brokers.length === 0) refuse('no broker is given; set host:port of one at least')
  for (const broker of options.brokers)
    if (!/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker))
      refuse(`not host:port: ${JSON.stringify(broker.slice(0, 100))}`)
  if (!/^[A-Za-z0-9._-]{0,64}$/.test(options.topicPrefix ?? ''))
    refuse('a topic prefix has at most 64 letters, digits, dots, dashes and underscores')
  const copies = [options.replication, options.minInsyncReplicas]
  if (!copies.every(n => Number.isSafeInteger(n) && n >= 1))
    refuse('replication and the copies that acknowledge are whole numbers from 1 on')
  if (options.minInsyncReplicas > options.replication)
    refuse(
      `${options.minInsyncReplicas} copies can not acknowledge where only ${options.replication} are kept`,
    )
  if (options.login?.mechanism === 'plain' && !options.tls)
    refuse('login by PLAIN would send the password readable; turn TLS on, or use SCRAM')
}

function sasl(login: NonNullable<KafkaOptions['login']>): SASLOptions {
  const { mechanism, username, password } = login
  return { mechanism, username, password } as SASLOptions
}

/** What is given to kafkajs. The host name in the certificate is always checked. */
export function clientConfig(options: KafkaOptions): KafkaConfig {
  const { tls, login, log } = options
  return {
    brokers: [...options.brokers],
    clientId: options.clientId ?? 'cryptos',
    connectionTimeout: 1_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    enforceRequestTimeout: true,
    retry,
    // Through TLS a handshake follows the connection.
    ...(tls
      ? {
          ssl: { ...tls, rejectUnauthorized: true, minVersion: 'TLSv1.2' as const },
          connectionTimeout: 5_000,
        }
      : {}),
    ...(login ? { sasl: sasl(login) } : {}),
    logLevel: log ? levels.warn : 0,
    // The level above could be raised by a variable of the environment.
    logCreator: () => entry => (entry.level <= levels.warn ? log?.(logLine(entry)) : undefined),
  }
}

/** Only known fields: whatever else an entry carries may hold what nobody should read. */
function logLine({ level, log }: LogEntry): KafkaLogLine {
  const broker = log['broker']
  return {
    level: level === levels.error ? 'error' : 'warn',
    message: log.message,
    ...(typeof broker === 'string' ? { broker } : {}),
  }
}
