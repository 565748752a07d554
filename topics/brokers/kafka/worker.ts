import type { KafkaMessage } from 'kafkajs'
import { CryptosError } from '../../../core/errors.ts'
import type { ConsumeOptions, PartitionBatch, StoredMessage } from '../../../core/ports/broker.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import { Batcher } from '../../batcher.ts'
import { Wakes } from '../../wakes.ts'
import { isGroupMove } from './errors.ts'
import { fromKafka, kafkaBytes } from './messages.ts'
import type { Turns } from './turns.ts'
import { within } from '../../../core/waiting.ts'
import type { WaitEnd } from '../../../core/waiting.ts'

const firstPauseMs = 100
const longestPauseMs = 10 * SECOND
const commitLimitMs = 10 * SECOND
const idleMs = 5 * SECOND
/** A batch may wait for what is there to be fetched: so many times its age, but no longer than this. */
const patience = 9
const longestPatienceMs = SECOND
/** What may wait per partition behind the batch in work before the partition is not fetched any more. */
const fullBytes = 512 * 1_024

/** What a worker needs of its consumer. */
export interface WorkerPorts {
  /** Durable in the group when it resolves. */
  commit(offset: number): Promise<void>
  /** Whether the partition is fetched. */
  flow(on: boolean): void
  /** One batch in hand each, shared by the partitions of a consumer: what is not in hand waits as it was fetched. */
  readonly turns: Turns
}

export interface WorkerOptions {
  readonly topic: string
  readonly partition: number
  readonly consume: ConsumeOptions
  /** The first offset that is not done. */
  readonly next: number
  /** The group's offset; undefined = none. */
  readonly committed: number | undefined
  /** Whether a failure was told that is not yet over. */
  readonly isIll: boolean
  /** A batch before `next` that onBatch has done, but whose commit is not known. */
  readonly stored: readonly StoredMessage[] | undefined
  readonly ports: WorkerPorts
  readonly clock: Clock
}

/**
 * The records of one partition while it is ours: they wait in memory (bounded), are handed out in batches, and only then is
 * the offset committed. A batch that throws comes again, the very same, after a pause; the other partitions and the group's
 * heartbeats go on meanwhile, because kafkajs never waits for a batch.
 */
export class PartitionWorker {
  readonly #options: WorkerOptions
  readonly #wakes = new Wakes()
  readonly #batcher: Batcher<KafkaMessage>
  readonly #signal: AbortSignal
  readonly #left = new AbortController()
  /** What waits, from #head on, and its sizes beside it: a size is counted once per record. */
  #queue: KafkaMessage[] = []
  #sizes: number[] = []
  #head = 0
  #queuedBytes = 0
  #flows = true
  /** Offset behind the newest record that was taken in. */
  #next: number
  /** Offset behind the newest batch that onBatch has done. */
  #done: number
  #committed: number
  #end: number
  #ill: boolean
  readonly #finishing = new AbortController()
  /** Somebody else has the partition, or will have it: another member, or the next worker. */
  readonly #gone: AbortSignal
  /** That, or the subscription's end. */
  readonly #over: AbortSignal
  #stored: readonly StoredMessage[] | undefined
  constructor(options: WorkerOptions) {
    const { consume, next, committed } = options
    this.#options = options
    this.#batcher = new Batcher<KafkaMessage>(consume.limits, kafkaBytes)
    this.#signal = AbortSignal.any([consume.signal, this.#left.signal])
    this.#gone = AbortSignal.any([this.#left.signal, this.#finishing.signal])
    this.#over = AbortSignal.any([consume.signal, this.#gone])
    this.#next = next
    this.#done = next
    this.#end = next
    this.#committed = committed ?? -1
    this.#ill = options.isIll
    this.#stored = options.stored
  }

  /** Offset behind the newest record that was taken in. */
  get next(): number {
    return this.#next
  }
  /** Offset behind the newest batch that onBatch has done, committed or not. */
  get done(): number {
    return this.#done
  }
  get isIll(): boolean {
    return this.#ill
  }
  /** The newest batch that onBatch has done, as long as its commit is not known. */
  get stored(): readonly StoredMessage[] | undefined {
    return this.#stored
  }

  /** Takes in what follows; what is known is passed over. `next` = offset behind it, `end` = end of the partition. */
  push(messages: readonly KafkaMessage[], next: number, end: number): void {
    for (const message of messages) {
      if (Number(message.offset) < this.#next) continue
      const bytes = kafkaBytes(message)
      this.#queue.push(message)
      this.#sizes.push(bytes)
      this.#queuedBytes += bytes
    }
    this.#next = Math.max(this.#next, next)
    this.#end = Math.max(end, this.#next)
    if (this.#queuedBytes > fullBytes) this.#flow(false)
    this.#wakes.wake()
  }

  /** Offset of the group as far as it is known here; -1 = none. */
  get committed(): number {
    return this.#committed
  }

  /** Ends after the batch in work: the partition gets a new worker, which also commits what is done. */
  finish(): void {
    this.#finishing.abort()
    this.#wakes.wake()
  }

  /** The partition is not ours any more: nothing is committed from now on. */
  leave(): void {
    this.#left.abort()
  }

  /** Ends by the signal of the subscription, or when the partition is left; after the batch in work. */
  async run(): Promise<void> {
    const stored = this.#stored
    // Only to be committed, which needs no turn.
    if (stored) await this.#untilOut(() => this.#isOut(stored))
    while (!this.#over.aborted) {
      const seen = this.#wakes.version
      const fetched = this.#take()
      if (fetched) await this.#deliver(fetched)
      else await this.#wait(seen, this.#batcher.dueInMs(this.#batchTimeMs()) ?? idleMs)
    }
  }

  #take(): readonly KafkaMessage[] | undefined {
    const nowMs = this.#nowMs()
    for (let message = this.#queue[this.#head]; message; message = this.#queue[this.#head]) {
      const bytes = this.#sizes[this.#head] ?? 0
      this.#head += 1
      this.#queuedBytes -= bytes
      const closed = this.#batcher.add(message, nowMs, bytes)
      if (closed) return this.#drop(closed)
    }
    return this.#drop(this.#batcher.due(this.#batchTimeMs()))
  }

  /** Forgets the head of the queue, which is in the batcher now; the memory of a long one when half of it is gone. */
  #drop<T>(result: T): T {
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#sizes = this.#sizes.slice(this.#head)
      this.#head = 0
    }
    if (this.#queuedBytes <= fullBytes / 2) this.#flow(true)
    return result
  }

  #flow(on: boolean): void {
    if (this.#flows === on) return
    this.#flows = on
    this.#options.ports.flow(on)
  }

  /** It becomes ours, and is decoded, in its turn only: what waits is held once, as it was fetched. */
  async #deliver(fetched: readonly KafkaMessage[]): Promise<void> {
    const { topic, partition, ports } = this.#options
    let messages: readonly StoredMessage[] | undefined
    await this.#untilOut(async () => {
      if (!(await ports.turns.take(this.#over))) return true
      try {
        messages ??= fetched.map(each => fromKafka(topic, partition, each))
        return await this.#isOut(messages)
      } finally {
        ports.turns.give()
      }
    })
  }

  /** Again and again, until it is done and committed or this worker ends. */
  async #untilOut(work: () => Promise<boolean>): Promise<void> {
    for (let failures = 0; !this.#over.aborted; failures += 1) {
      if (await work()) return
      await this.#sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20)))
    }
  }

  /** True when nothing is left to do about it here: it is done and committed, or the partition is not ours any more. */
  async #isOut(messages: readonly StoredMessage[]): Promise<boolean> {
    const offset = (messages.at(-1)?.offset ?? 0) + 1
    const batch: PartitionBatch = { ...this.#place(), messages, end: this.#end }
    try {
      if (this.#done < offset) await this.#options.consume.onBatch(batch, this.#signal)
      this.#done = Math.max(this.#done, offset)
      this.#stored = messages
      if (!(await this.#commit(offset))) return true
      this.#stored = undefined
      this.#well()
      this.#options.consume.onCommitted?.(batch)
      return true
    } catch (error) {
      if (!this.#over.aborted) this.#failed(error, batch)
      return this.#over.aborted
    }
  }

  /** False where the partition went before: whoever has it then commits. Never moves the group back. */
  async #commit(offset: number): Promise<boolean> {
    if (this.#gone.aborted) return false
    if (offset > this.#committed) {
      // kafkajs may owe the answer for ever, when its consumer is restarted meanwhile.
      const limit = { clock: this.#options.clock, durationMs: commitLimitMs, signal: this.#gone }
      try {
        await within(this.#options.ports.commit(offset), limit, noCommit)
      } catch (error) {
        if (error instanceof Gone) return false
        throw error
      }
    }
    this.#committed = Math.max(this.#committed, offset)
    return true
  }

  #failed(error: unknown, batch: PartitionBatch): void {
    // The members meet again by themselves; nothing is wrong yet.
    if (isGroupMove(error)) return
    this.#ill = true
    this.#options.consume.onError?.(error, batch)
  }

  #well(): void {
    if (!this.#ill) return
    this.#ill = false
    this.#options.consume.onRecovered?.(this.#place())
  }

  #place(): { readonly topic: string; readonly partition: number } {
    return { topic: this.#options.topic, partition: this.#options.partition }
  }

  /**
   * Where the log has what a batch lacks, it is on its way: the batch waits for it, since small ones cost the store more. By the count of
   * records, which offsets tell; where bytes would close it first, or offsets have no record, it is right less often and as bounded.
   */
  #batchTimeMs(): number {
    const { maxRecords, maxAgeMs } = this.#options.consume.limits
    const isBehind = this.#end - this.#next >= maxRecords - this.#batcher.size
    return this.#nowMs() - (isBehind ? Math.min(patience * maxAgeMs, longestPatienceMs) : 0)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
  #wait(seen: number, durationMs: number): Promise<void> {
    return this.#wakes.wait(seen, durationMs, this.#options.clock, this.#signal)
  }
  async #sleep(durationMs: number): Promise<void> {
    const never = new Wakes()
    await never.wait(never.version, durationMs, this.#options.clock, this.#over)
  }
}

/** The partition has another worker before the commit was answered. */
class Gone extends Error {}

const noCommit = (end: WaitEnd): Error =>
  end === 'over' ? new Gone() : new CryptosError('CRY_SERVER_UNREACHABLE', 'Kafka did not answer to a commit')
