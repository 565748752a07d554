import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import type { Range } from './read-answers.ts'
import type { Side } from './side.ts'

/** A topic. */
export interface TopicToRead {
  readonly topic: string
  /** Absent = it keeps everything. */
  readonly retentionMs?: number
}

/** Ids of records of a topic that a store need not have. */
export interface Unstored {
  /** The store's group has not committed them yet. */
  readonly waiting: Set<string>
  /** The store's group put them into the dead letters. */
  readonly refused: Set<string>
}

/** A store as a reader of topics, and what it need not have. */
export interface Consumer {
  /** Its consumer group of a topic. */
  readonly groupOf: (topic: string) => string
  readonly unstored: Unstored
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

/** Fills the topic's sides with what was received in the range, and tells each store what it need not have. What can not be decoded is no record. */
export async function readTopic<R extends Received>(
  { broker, codec, letters, sideOf }: TopicPorts<R>,
  { topic }: TopicToRead,
  range: Range,
  consumers: readonly Consumer[],
): Promise<void> {
  const places = await Promise.all(consumers.map(consumer => placeOf(broker, topic, consumer)))
  for await (const message of broker.read(topic, { offset: 0 })) {
    const record = message.value === null ? undefined : decoded(codec, message.value)
    if (!record || !isIn(range, record)) continue
    const id = sideOf(record).add(record)
    for (const { group, committed, unstored } of places)
      if (message.offset >= (committed.get(message.partition) ?? 0)) unstored.waiting.add(id)
      else if (letters.has(letterIdAt(group, message))) unstored.refused.add(id)
  }
}

/** How far a store has read a topic. */
async function placeOf(broker: Broker, topic: string, { groupOf, unstored }: Consumer) {
  const group = groupOf(topic)
  const offsets = (await broker.committed(group)).filter(c => c.topic === topic)
  return { group, unstored, committed: new Map(offsets.map(c => [c.partition, c.offset])) }
}

/** undefined = no record. */
export function decoded<R>(codec: Codec<R>, value: Uint8Array): R | undefined {
  try {
    return codec.decode(value)
  } catch (error) {
    if (toCryptosError(error).code !== 'CRY_RECORD_INVALID') throw error
    return undefined
  }
}
