import { CryptosError } from '../core/errors.ts'
import type { PartitionState, ReplayFrom, TopicMessage, TopicSpec } from '../core/ports/broker.ts'
import { messageBytes } from './messages.ts'
import { partitionOf } from './partition.ts'

const maxKeyLength = 1_024
const maxHeaders = 64

/** The checks that every broker makes before it stores anything. @throws CryptosError CRY_RECORD_INVALID */
export function placeOf(message: TopicMessage, spec: TopicSpec | undefined): number {
  const refuse = (why: string): never => {
    throw new CryptosError('CRY_RECORD_INVALID', `topic ${JSON.stringify(message.topic)}: ${why}`)
  }
  if (!spec) return refuse('no such topic; create it with `cryptos topics create`')
  if (message.key.length > maxKeyLength) refuse(`a key of more than ${maxKeyLength} characters`)
  if (Object.keys(message.headers).length > maxHeaders) refuse(`more than ${maxHeaders} headers`)
  const bytes = messageBytes(message)
  if (bytes > spec.maxMessageBytes)
    refuse(`a message of ${bytes} bytes, at most ${spec.maxMessageBytes} are stored`)
  return partitionOf(message.key, spec.partitions)
}

/** @throws CryptosError CRY_CONFIG_INVALID */
export function checkSpec(spec: TopicSpec): void {
  const ok =
    /^[A-Za-z0-9._-]{1,249}$/.test(spec.name) &&
    Number.isSafeInteger(spec.partitions) &&
    spec.partitions > 0 &&
    Number.isSafeInteger(spec.retentionMs) &&
    spec.retentionMs > 0 &&
    Number.isSafeInteger(spec.maxMessageBytes) &&
    spec.maxMessageBytes > 0
  if (!ok)
    throw new CryptosError('CRY_CONFIG_INVALID', `not a usable topic: ${JSON.stringify(spec).slice(0, 200)}`)
}

/** The partitions that a replay reads. */
export const replayed = (
  states: readonly PartitionState[],
  { partition }: ReplayFrom,
): readonly PartitionState[] =>
  partition === undefined ? states : states.filter(state => state.partition === partition)
