import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import type { Range } from './read-answers.ts'
import type { Side } from './side.ts'

/** A topic, and the store's consumer group of it. */
export interface TopicToRead {
  readonly topic: string
  readonly group: string
}

/** Ids of records of a topic that the store need not have. */
export interface Unstored {
  /** The store's group has not committed them yet. */
  readonly waiting: Set<string>
  /** The store's group put them into the dead letters. */
  readonly refused: Set<string>
}

type Received = { readonly kind: string; readonly receivedAt: EpochMicros }

export interface TopicPorts<R> {
  readonly broker: Broker
  readonly codec: Codec<R>
  readonly letters: ReadonlySet<string>
  /** Where a record belongs: what was made of answers, or what was worked out. */
  readonly sideOf: (record: R) => Side<R & Received>
}

export const isIn = ({ from, to }: Range, { receivedAt }: { readonly receivedAt: EpochMicros }): boolean =>
  receivedAt >= from && receivedAt < to

/** Fills the topic's sides with what was received in the range. What can not be decoded is no record. */
export async function readTopic<R extends Received>(
  { broker, codec, letters, sideOf }: TopicPorts<R>,
  { topic, group }: TopicToRead,
  range: Range,
  unstored: Unstored,
): Promise<void> {
  const committed = new Map(
    (await broker.committed(group)).filter(c => c.topic === topic).map(c => [c.partition, c.offset]),
  )
  for await (const message of broker.read(topic, { offset: 0 })) {
    const record = message.value === null ? undefined : decoded(codec, message.value)
    if (!record || !isIn(range, record)) continue
    const side = sideOf(record)
    side.add(record)
    if (message.offset >= (committed.get(message.partition) ?? 0)) unstored.waiting.add(side.idOf(record))
    else if (letters.has(letterIdAt(group, message))) unstored.refused.add(side.idOf(record))
  }
}

function decoded<R>(codec: Codec<R>, value: Uint8Array): R | undefined {
  try {
    return codec.decode(value)
  } catch (error) {
    if (toCryptosError(error).code !== 'CRY_RECORD_INVALID') throw error
    return undefined
  }
}
