import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Broker, StoredMessage, TopicMessage } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { DeadLetter } from '../core/records.ts'
import type { EpochMicros } from '../core/brands.ts'
import { deadLetterJson } from '../topics/codecs/dead-letter-json.ts'
import { deadLetterMessage, tombstone } from '../topics/messages.ts'

export interface DeadLettersOptions {
  readonly broker: Broker
  /** Name of the dead-letter topic. */
  readonly topic: string
  readonly clock: Clock
}

/** Names of headers that a letter adds to those of its message, to make the very same message again. */
const keyHeader = 'dead-letter-key'
const nullHeader = 'dead-letter-null'
const replayHeader = 'dead-letter-replay-of'

/**
 * The messages that could not be used, kept in a topic of their own. A letter that was replayed has a tombstone behind it, made in
 * the same produce as the message, so it is never replayed twice and no other store is needed.
 */
export interface DeadLetters {
  /** Durable when it resolves. The same letter again is the same letter. */
  write(letters: readonly DeadLetter[]): Promise<void>
  /** Oldest first, without those that were replayed. */
  list(): AsyncIterable<DeadLetter>
  show(id: string): Promise<DeadLetter | undefined>
  /**
   * Puts the original bytes into their topic again.
   * @throws CryptosError CRY_USAGE when there is no such letter (any more) or it never was a message of a topic
   */
  replay(id: string): Promise<void>
}

export function openDeadLetters(options: DeadLettersOptions): DeadLetters {
  const { broker, topic, clock } = options
  const write = async (letters: readonly DeadLetter[]): Promise<void> => {
    if (letters.length > 0) await broker.produce(letters.map(letter => deadLetterMessage(topic, letter)))
  }
  const show = async (id: string): Promise<DeadLetter | undefined> => {
    for await (const letter of listLetters(broker, topic)) if (letter.id === id) return letter
    return undefined
  }
  const replay = async (id: string): Promise<void> => {
    const letter = await show(id)
    if (!letter)
      throw new CryptosError('CRY_USAGE', `no dead letter ${JSON.stringify(id)}, or it was replayed`)
    if (letter.partition < 0 || letter.topic === topic)
      throw new CryptosError(
        'CRY_USAGE',
        `${id} never was a message of a topic that is read; an answer is mapped anew by \`cryptos publish --again 24h\`, after the fix`,
      )
    const now = clock.now()
    await broker.produce([originalOf(letter, now), tombstone(topic, id, now)])
  }
  return { write, list: () => listLetters(broker, topic), show, replay }
}

/** Two passes, so that nothing but ids is held in memory: letters can be large. */
async function* listLetters(broker: Broker, topic: string): AsyncIterable<DeadLetter> {
  const replayed = new Set<string>()
  for await (const message of broker.read(topic, { offset: 0 }))
    if (message.value === null) replayed.add(message.key)
  const listed = new Set<string>()
  for await (const message of broker.read(topic, { offset: 0 })) {
    if (message.value === null || replayed.has(message.key) || listed.has(message.key)) continue
    listed.add(message.key)
    yield readLetter(message)
  }
}

/** Bytes in the dead-letter topic that are no letter must not hide the others: they are shown as one. */
function readLetter(message: StoredMessage): DeadLetter {
  try {
    return deadLetterJson.decode(message.value ?? new Uint8Array())
  } catch (error) {
    const { code, message: reason } = toCryptosError(error)
    const letter = letterOf(message, { stage: 'dead-letters', code, reason, at: message.timestamp })
    return { ...letter, id: message.key || letter.id }
  }
}

/** Id of the letter of a message, by its place. Slashes: nothing in it needs quoting in a shell. */
export const letterIdAt = (
  stage: string,
  { topic, partition, offset }: Pick<StoredMessage, 'topic' | 'partition' | 'offset'>,
): string => `${stage}/${topic}/${partition}/${offset}`

/** The letter of a message. Its id comes from its place, so a second delivery makes the same letter. */
export function letterOf(
  message: StoredMessage,
  why: { readonly stage: string; readonly code: string; readonly reason: string; readonly at: EpochMicros },
): DeadLetter {
  return {
    kind: 'dead-letter',
    id: letterIdAt(why.stage, message),
    stage: why.stage,
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    code: why.code,
    reason: why.reason.slice(0, 1_000),
    at: why.at,
    bytes: Buffer.from(message.value ?? []).toString('base64'),
    headers: {
      ...boundedHeaders(message.headers),
      [keyHeader]: message.key,
      ...(message.value === null ? { [nullHeader]: '1' } : {}),
    },
  }
}

/** Headers are kept for the reader's eye and for a replay; an attack of megabytes is not. */
const boundedHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .slice(0, 48)
      .map(([name, value]) => [name.slice(0, 256), value.slice(0, 4_096)]),
  )

function originalOf(letter: DeadLetter, now: EpochMicros): TopicMessage {
  const own = new Set([keyHeader, nullHeader])
  const headers = Object.fromEntries(Object.entries(letter.headers).filter(([name]) => !own.has(name)))
  return {
    topic: letter.topic,
    key: letter.headers[keyHeader] ?? '',
    value: letter.headers[nullHeader] === '1' ? null : new Uint8Array(Buffer.from(letter.bytes, 'base64')),
    headers: { ...headers, [replayHeader]: letter.id },
    timestamp: now,
  }
}
