import { CryptosError, toCryptosError } from '../../../core/errors.ts'
import type { ErrorCode } from '../../../core/errors.ts'

/** The fields of kafkajs' errors that say what happened; not every class has each. */
interface KafkaFault {
  readonly name?: string
  readonly message?: string
  readonly type?: string
  readonly code?: string | number
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

const certificate = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_TLS|ERR_SSL|EPROTO/

const sentences: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  TOPIC_AUTHORIZATION_FAILED: ['CRY_SERVER_REFUSED', 'the user may not use the topic; grant it an ACL'],
  GROUP_AUTHORIZATION_FAILED: [
    'CRY_SERVER_REFUSED',
    'the user may not use the consumer group; grant it an ACL',
  ],
  CLUSTER_AUTHORIZATION_FAILED: [
    'CRY_SERVER_REFUSED',
    'the user may not change the cluster; grant it an ACL',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ['CRY_SERVER_REFUSED', 'the user lacks a right; grant it an ACL'],
  SASL_AUTHENTICATION_FAILED: ['CRY_SERVER_REFUSED', 'user or password is wrong'],
  ILLEGAL_SASL_STATE: [
    'CRY_SERVER_REFUSED',
    'the port does not expect a login; check port and login settings',
  ],
  UNSUPPORTED_SASL_MECHANISM: ['CRY_SERVER_REFUSED', 'the server does not offer this way of login'],
  UNKNOWN_TOPIC_OR_PARTITION: ['CRY_SERVER_CONFIG', 'a topic is missing; `cryptos topics create` makes it'],
  INVALID_REPLICATION_FACTOR: [
    'CRY_SERVER_CONFIG',
    'fewer brokers run than copies of a partition are wanted',
  ],
  POLICY_VIOLATION: ['CRY_SERVER_CONFIG', 'a policy of the cluster forbids the topic'],
  INVALID_CONFIG: ['CRY_SERVER_CONFIG', 'the cluster does not take a setting of the topic'],
  MESSAGE_TOO_LARGE: [
    'CRY_SERVER_CONFIG',
    "the topic's max.message.bytes is below what the topic table says",
  ],
  RECORD_LIST_TOO_LARGE: ['CRY_SERVER_CONFIG', "the topic's segment.bytes is below the size of a batch"],
  INVALID_TIMESTAMP: [
    'CRY_SERVER_CONFIG',
    "the topic's limits of timestamps refuse our clock; check both clocks",
  ],
  THROTTLING_QUOTA_EXCEEDED: ['CRY_SERVER_BUSY', 'the quota of this client is used up'],
}

/** The innermost error that kafkajs wrapped, and all on the way. */
function faults(error: unknown): readonly KafkaFault[] {
  const found: KafkaFault[] = []
  let at = error
  while (at instanceof Object && found.length < 10 && !found.includes(at)) {
    const fault: KafkaFault = at
    found.push(fault)
    at = fault.errors?.[0] ?? fault.cause
  }
  return found.reverse()
}

/** The protocol's name of what went wrong: `TOPIC_AUTHORIZATION_FAILED`; undefined where no server said anything. */
export const faultType = (error: unknown): string | undefined =>
  faults(error).find(f => f.type !== undefined)?.type

/** Whether the log no longer (or not yet) holds the offset that was asked for. */
export const isOutOfRange = (error: unknown): boolean => faultType(error) === 'OFFSET_OUT_OF_RANGE'

const groupMoves = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
  'FENCED_INSTANCE_ID',
])

/** Whether the group is only being divided anew: the members meet again by themselves. */
export const isGroupMove = (error: unknown): boolean => groupMoves.has(faultType(error) ?? '')

/**
 * Turns whatever kafkajs throws into one of our codes, with one sentence that names the servers. Unknown is "unreachable":
 * it is tried again. `what` says what was being done.
 */
export function kafkaError(error: unknown, what: string, servers: readonly string[]): CryptosError {
  if (error instanceof CryptosError) return error
  const at = `Kafka at ${servers.join(', ')}: ${what}`
  const make = (code: ErrorCode, why: string): CryptosError =>
    new CryptosError(code, `${at}: ${why}`, { cause: error })
  const all = faults(error)
  const known = sentences[faultType(error) ?? '']
  if (known) return make(...known)
  if (all.some(f => f.name === 'KafkaJSSASLAuthenticationError'))
    return make(
      'CRY_SERVER_REFUSED',
      'user or password is wrong, or the server does not offer this way of login',
    )
  // kafkajs keeps the servers' own word about groups to itself.
  if (all.some(f => f.name === 'KafkaJSGroupCoordinatorNotFound'))
    return make(
      'CRY_SERVER_UNREACHABLE',
      'no server answers for the group: they are starting, or the user may not use the group and needs an ACL',
    )
  const tls = all.find(f => typeof f.code === 'string' && certificate.test(f.code))
  if (tls)
    return make(
      'CRY_SERVER_REFUSED',
      `the certificate can not be trusted (${tls.code}); check host name, CA and port`,
    )
  const kafkaJs = all.some(f => f.name?.startsWith('KafkaJS'))
  if (!kafkaJs) return toCryptosError(error)
  return make('CRY_SERVER_UNREACHABLE', all[0]?.message ?? 'no answer')
}
