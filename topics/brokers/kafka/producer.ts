import type { Message, Producer } from 'kafkajs'
import { CryptosError, classify } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import { faultType, kafkaError } from './errors.ts'
import { atMost, ignore, within } from '../../../core/waiting.ts'
import type { WaitEnd } from '../../../core/waiting.ts'

/** What is used of a kafkajs producer. */
export type Sender = Pick<Producer, 'connect' | 'disconnect' | 'send'>

export interface PartitionProducerOptions {
  readonly makeSender: () => Sender
  readonly clock: Clock
  readonly servers: readonly string[]
  /** How long what was given at once is sent again before its caller is told. */
  readonly deadlineMs?: number
}

/** Records for one partition, in order. Sent again unchanged, so it is never touched once it was made. */
export interface PartitionChunk {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly Message[]
}

/** What was given at once: one time for all of it, and where it is broken. */
interface Shipment {
  readonly untilMs: number
  readonly failed: Map<string, CryptosError>
}

/** A kafkajs producer and the calls that it still owes an answer. */
interface Line {
  readonly sender: Promise<Sender>
  readonly calls: Set<Promise<unknown>>
}

export interface ProducerCounts {
  acknowledged: number
  /** Records of sends that were made again. */
  resent: number
  /** Answers of kafkajs that were no acknowledgement although it resolved. */
  emptyAnswers: number
  /** kafkajs producers that were given up for a new one. */
  replaced: number
}

/** After so many failures of one chunk in a row kafkajs begins anew. */
const triesPerSender = 3
const firstPauseMs = 100
const longestPauseMs = 2 * SECOND

/**
 * Sends so that an acknowledgement is one. kafkajs resolves send() for records that it never sent, as soon as a call covers
 * more than one partition or lets kafkajs choose; so:
 * 1. the partition of each message is ours; 2. a call holds records of one partition; 3. one call at a time per partition;
 * 4. only the answer "this partition, no error" counts; 5. after a rejection the same chunk goes out again, unchanged;
 * 6. the producer is plain; 7. all copies acknowledge, and no wait is endless.
 * The same chunk may be stored twice when an answer is lost: readers write by id.
 */
export class PartitionProducer {
  readonly counts: ProducerCounts = { acknowledged: 0, resent: 0, emptyAnswers: 0, replaced: 0 }
  readonly #options: PartitionProducerOptions
  readonly #closing = new AbortController()
  /** The newest send of each partition; the next one waits for it. */
  readonly #tails = new Map<string, Promise<void>>()
  readonly #leaving = new Set<Promise<void>>()
  #line: Line | undefined
  constructor(options: PartitionProducerOptions) {
    this.#options = options
  }

  /**
   * Resolves when all chunks are acknowledged by all copies that must have them. Behind a chunk that failed nothing of the same
   * partition is sent: the caller gives all of it again, and its order stays.
   * @throws CryptosError CRY_SERVER_UNREACHABLE after the deadline, which is one for all chunks, or when closed meanwhile: then
   * they may be stored or not
   */
  async send(...chunks: readonly PartitionChunk[]): Promise<void> {
    const { clock, deadlineMs = 30 * SECOND } = this.#options
    const shipment = { untilMs: clock.monotonicMs() + deadlineMs, failed: new Map() }
    const results = await Promise.allSettled(chunks.map(chunk => this.#enqueue(chunk, shipment)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #enqueue(chunk: PartitionChunk, shipment: Shipment): Promise<void> {
    const place = `${chunk.topic}/${chunk.partition}`
    const before = this.#tails.get(place)
    const ship = async (): Promise<void> => {
      const broken = shipment.failed.get(place) ?? (await this.#sendUntilStored(chunk, shipment.untilMs))
      if (broken === undefined) return
      shipment.failed.set(place, broken)
      throw broken
    }
    const sent = before !== undefined ? before.then(ship) : ship()
    // The next one goes on whatever became of this one: its own caller was told.
    const tail = sent.then(ignore, ignore).then(() => {
      if (this.#tails.get(place) === tail) this.#tails.delete(place)
    })
    this.#tails.set(place, tail)
    return sent
  }

  /** What was not sent yet when it closes is never sent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#tails.values())
    if (this.#line) this.#giveUp(this.#line)
    await atMost(3 * SECOND, Promise.all(this.#leaving), this.#options.clock)
  }

  /** Why it was not acknowledged; undefined when it was. */
  async #sendUntilStored(chunk: PartitionChunk, untilMs: number): Promise<CryptosError | undefined> {
    const { clock } = this.#options
    let failed: Error = new TimeUp('no time was left for it')
    for (let tries = 1; clock.monotonicMs() < untilMs; tries += 1) {
      if (this.#closing.signal.aborted)
        return this.#lastWord(new TimeUp('closed before it was acknowledged'), chunk)
      const problem = await this.#try(chunk, tries, untilMs - clock.monotonicMs())
      if (!problem) {
        this.counts.acknowledged += chunk.messages.length
        return undefined
      }
      failed = problem
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(tries - 1, 10))
      if (isFinal(failed) || this.#closing.signal.aborted || clock.monotonicMs() + pauseMs >= untilMs) break
      this.counts.resent += chunk.messages.length
      await clock.sleep(pauseMs, this.#closing.signal).catch(ignore)
    }
    return this.#lastWord(failed, chunk)
  }

  /** One call of kafkajs; what went wrong, or undefined when it is acknowledged. */
  async #try(chunk: PartitionChunk, tries: number, leftMs: number): Promise<Error | undefined> {
    this.#line ??= { sender: this.#connect(), calls: new Set() }
    const line = this.#line
    try {
      const limit = {
        clock: this.#options.clock,
        durationMs: Math.max(1, leftMs),
        signal: this.#closing.signal,
      }
      const answer = await within(this.#call(line, chunk), limit, timeUp)
      const [only] = answer
      if (answer.length === 1 && only?.partition === chunk.partition && only.errorCode === 0) return undefined
      this.counts.emptyAnswers += 1
      return new Error(`send() resolved without an answer for partition ${chunk.partition}`)
    } catch (error) {
      const isHopeless =
        error instanceof TimeUp || error instanceof NotConnected || tries % triesPerSender === 0
      if (isHopeless && this.#line === line) {
        this.counts.replaced += 1
        this.#giveUp(line)
      }
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #call({ sender, calls }: Line, { topic, messages }: PartitionChunk): ReturnType<Sender['send']> {
    const ready = await sender
    const call = ready.send({ topic, messages: messages as Message[], acks: -1, timeout: 5_000 })
    calls.add(call)
    return await call.finally(() => calls.delete(call))
  }

  async #connect(): Promise<Sender> {
    const sender = this.#options.makeSender()
    try {
      await sender.connect()
      return sender
    } catch (error) {
      await sender.disconnect().catch(ignore)
      throw new NotConnected('could not connect', { cause: error })
    }
  }

  /** Nobody uses it any more. A call that goes on inside kafkajs can connect it again, so it is left once more behind them. */
  #giveUp({ sender, calls }: Line): void {
    this.#line = undefined
    const left = sender
      .then(async ready => {
        await ready.disconnect()
        await Promise.allSettled(calls)
        await ready.disconnect()
      })
      .catch(ignore)
    this.#leaving.add(left)
    left.finally(() => this.#leaving.delete(left)).catch(ignore)
  }

  #lastWord(error: Error, { topic, partition }: PartitionChunk): CryptosError {
    const what = `partition ${partition} of ${topic} was not acknowledged`
    if (error instanceof TimeUp || faultType(error) === 'UNKNOWN_TOPIC_OR_PARTITION')
      return new CryptosError(
        'CRY_SERVER_UNREACHABLE',
        `Kafka at ${this.#options.servers.join(', ')}: ${what}: ${error.message}`,
        { cause: error },
      )
    const told = kafkaError(error, what, this.#options.servers)
    if (told.code !== 'CRY_INTERNAL') return told
    return new CryptosError('CRY_SERVER_UNREACHABLE', told.message, { cause: error })
  }
}

class TimeUp extends Error {}
const timeUp = (end: WaitEnd): TimeUp =>
  new TimeUp(end === 'late' ? 'no answer in time' : 'closed before it was acknowledged')
class NotConnected extends Error {}

/** What no repetition heals. A topic is unknown for a moment while its leader moves. */
function isFinal(error: Error): boolean {
  if (faultType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return false
  return classify(kafkaError(error, '', [])) === 'stop'
}
