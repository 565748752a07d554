import { CryptosError, classify, toCryptosError } from '../core/errors.ts'
import type { PartitionBatch, StoredMessage } from '../core/ports/broker.ts'
import type { BatchSource, StoreResult } from '../core/ports/sink.ts'
import type { DeadLetter } from '../core/records.ts'
import { announce } from '../core/steps.ts'
import { letterOf } from './dead-letters.ts'
import { decodeMessage } from './decode.ts'
import type { DeliverCounters, DeliverEvent, DeliverOptions } from './deliver-types.ts'
import { withRetry } from './retry.ts'

export type { DeliverCounters, DeliverEvent, DeliverOptions }

/**
 * Brings the records of a topic into one sink until the signal fires: decode, bad ones to the dead letters, write, commit: in this
 * order, so that a crash anywhere repeats work and loses none. Returns the counters.
 * @throws CryptosError what `classify` calls 'stop' (a corrupt store, a wrong setting), and nothing else
 */
export async function deliver<R>(options: DeliverOptions<R>): Promise<DeliverCounters> {
  const delivery = new Delivery(options)
  await delivery.run()
  return delivery.counters
}

class Delivery<R> {
  readonly #o: DeliverOptions<R>
  readonly #group: string
  readonly #ending = new AbortController()
  #stopError: unknown
  #counters = { received: 0, written: 0, superseded: 0, dead: 0, retried: 0 }
  constructor(options: DeliverOptions<R>) {
    this.#o = options
    this.#group = options.group ?? `sink.${options.sink.name}`
  }

  get counters(): DeliverCounters {
    return { ...this.#counters }
  }

  async run(): Promise<void> {
    const { broker, sink, topic, limits } = this.#o
    const startAt =
      this.#o.startAt ?? (sink.position ? (t: string, p: number) => this.#startAt(t, p) : undefined)
    await broker.consume({
      group: this.#group,
      topics: [topic],
      limits,
      signal: AbortSignal.any([this.#o.signal, this.#ending.signal]),
      ...(startAt ? { startAt } : {}),
      onBatch: (batch, signal) => this.#store(batch, signal),
      onCommitted: batch => this.#committed(batch),
      onError: (error, batch) => this.#thrownBack(error, batch),
      onRecovered: place => this.#o.onEvent?.({ kind: 'recovered', ...place }),
      onGap: gap => this.#o.onEvent?.({ kind: 'gap', ...gap }),
    })
    if (this.#stopError !== undefined) throw this.#stopError
  }

  /** A store without a place of this group was made anew: it gets everything that the log still has, whatever was committed before. */
  async #startAt(topic: string, partition: number): Promise<number | undefined> {
    const position = await this.#o.sink.position?.(this.#group, topic, partition)
    if (position !== undefined) return position
    const committed = await this.#o.broker.committed(this.#group)
    return committed.some(c => c.topic === topic && c.partition === partition) ? 0 : undefined
  }

  async #store(batch: PartitionBatch, signal: AbortSignal): Promise<void> {
    const good: Good<R> = { records: [], messages: [] }
    const dead: DeadLetter[] = []
    for (const message of batch.messages) {
      const decoded = decodeMessage(message, this.#o.codec)
      if (!decoded.ok) dead.push(this.#letter(message, decoded.error))
      else {
        good.records.push(decoded.record)
        good.messages.push(message)
      }
    }
    await this.#bury(dead, signal)
    const source = this.#sourceOf(batch.messages, batch)
    const result = await this.#write(good, source, signal)
    announce('stored', `${this.#group} ${source.topic}/${source.partition} ${source.end}`)
    this.#count(batch.messages.length, dead.length, result)
    this.#o.onEvent?.({ kind: 'batch-stored', source, lag: batch.end - source.end, counters: this.counters })
  }

  /**
   * The whole batch at once. Where the sink calls records wrong and says which, its neighbours are stored; where it does not say, one
   * by one, so that they are.
   */
  async #write(good: Good<R>, source: BatchSource, signal: AbortSignal): Promise<Stored> {
    try {
      return { ...(await this.#retried(() => this.#o.sink.write(good.records, source), signal)), dead: 0 }
    } catch (error) {
      if (classify(error) !== 'dead-letter') throw error
      const { code, partial } = toCryptosError(error)
      if (partial === undefined) return await this.#writeEach(good, source, signal)
      const letters = good.messages.flatMap((message, i) => {
        const reason = partial.refused.get(i)
        return reason === undefined ? [] : [this.#letter(message, new CryptosError(code, reason))]
      })
      await this.#bury(letters, signal)
      return { written: partial.written, superseded: partial.superseded, dead: letters.length }
    }
  }

  async #writeEach(good: Good<R>, source: BatchSource, signal: AbortSignal): Promise<Stored> {
    const sum = { written: 0, superseded: 0, dead: 0 }
    for (const [i, message] of good.messages.entries()) {
      const record = good.records[i] as R
      const own = this.#sourceOf([message], source)
      try {
        const result = await this.#retried(() => this.#o.sink.write([record], own), signal)
        sum.written += result.written
        sum.superseded += result.superseded
      } catch (error) {
        if (classify(error) !== 'dead-letter') throw error
        // The letter is durable before any later write moves the sink's position past this record.
        await this.#bury([this.#letter(message, toCryptosError(error))], signal)
        sum.dead += 1
      }
    }
    await this.#retried(() => this.#o.sink.write([], source), signal)
    return sum
  }

  /** A letter that can not be kept stops the delivery here: better late than dropped. */
  async #bury(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    if (letters.length === 0) return
    try {
      await this.#retried(() => this.#o.deadLetters.write(letters), signal)
    } catch (error) {
      if (classify(error) !== 'dead-letter') throw error
      throw new CryptosError(
        'CRY_CONFIG_INVALID',
        `a dead letter can not be kept: ${toCryptosError(error).message}`,
        {
          cause: error,
        },
      )
    }
    for (const letter of letters) this.#o.onEvent?.({ kind: 'record-dead', letter })
  }

  async #retried<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return await withRetry(work, {
      clock: this.#o.clock,
      signal,
      rng: this.#o.rng ?? Math.random,
      maxAttempts: this.#o.maxAttempts ?? 5,
      onRetry: retry => {
        this.#counters.retried += 1
        this.#o.onEvent?.({ kind: 'write-retried', ...retry })
      },
    })
  }

  #thrownBack(error: unknown, { topic, partition }: PartitionBatch): void {
    this.#o.onEvent?.({ kind: 'batch-thrown-back', topic, partition, error })
    if (classify(error) !== 'stop') return
    this.#stopError = error
    this.#ending.abort()
  }

  #committed(batch: PartitionBatch): void {
    const { end } = this.#sourceOf(batch.messages, batch)
    announce('committed', `${this.#group} ${batch.topic}/${batch.partition} ${end}`)
  }

  #letter(message: StoredMessage, error: CryptosError): DeadLetter {
    const { code, message: reason } = error
    return letterOf(message, { stage: this.#group, code, reason, at: this.#o.clock.now() })
  }

  #sourceOf(
    messages: readonly StoredMessage[],
    at: { readonly topic: string; readonly partition: number },
  ): BatchSource {
    const first = messages[0]?.offset ?? 0
    const end = (messages.at(-1)?.offset ?? first - 1) + 1
    return { group: this.#group, topic: at.topic, partition: at.partition, first, end }
  }

  #count(received: number, dead: number, stored: Stored): void {
    this.#counters.received += received
    this.#counters.written += stored.written
    this.#counters.superseded += stored.superseded
    this.#counters.dead += dead + stored.dead
  }
}

/** What could be read of a batch: records, and beside each the message that it came in. */
interface Good<R> {
  readonly records: R[]
  readonly messages: StoredMessage[]
}
type Stored = StoreResult & { readonly dead: number }
