import { setImmediate as nextTurn } from 'node:timers/promises'
import { CryptosError, classify } from '../core/errors.ts'
import type { ConsumeOptions, PartitionBatch, PartitionState, StoredMessage } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import { SECOND } from '../core/time.ts'
import { Batcher } from './batcher.ts'
import { messageBytes } from './messages.ts'
import type { Wakes } from './wakes.ts'

/** What the consume loop needs of a log. Reads are short and never wait for a writer. */
export interface LogStore {
  /** @throws CryptosError CRY_RECORD_INVALID for an unknown topic */
  states(topic: string): readonly PartitionState[]
  /** Messages from `offset` on, in order, at most `limit`; may give fewer, but one if there is one. */
  fetch(topic: string, partition: number, offset: number, limit: number): readonly StoredMessage[]
  committedOffset(group: string, topic: string, partition: number): number | undefined
  /** Durable when it resolves; never moves a group back. */
  commit(group: string, topic: string, partition: number, offset: number): Promise<void>
  readonly wakes: Wakes
}

const pollMs = SECOND
const firstPauseMs = 100
const longestPauseMs = 10 * SECOND

/**
 * The loop of one subscription over a log: collects per partition until a limit closes the batch, hands it out, commits, goes on.
 * A thrown batch stays the partition's next one, after a pause that doubles up to 10 s; the other partitions go on meanwhile.
 * A log that can not be read is tried again after the same pauses.
 * @throws CryptosError only where the subscription can not begin: an unknown topic, or what `classify` does not call worth a try
 */
export async function consumeLog(store: LogStore, options: ConsumeOptions, clock: Clock): Promise<void> {
  const cursors = await openCursors(store, options, clock)
  while (!options.signal.aborted) {
    const seen = store.wakes.version
    let worked = false
    for (const cursor of cursors) worked = (await cursor.step()) || worked
    // One turn of the event loop, so that a long backlog never starves the process.
    if (worked) await nextTurn()
    else
      await store.wakes.wait(seen, Math.min(...cursors.map(c => c.idleMs()), pollMs), clock, options.signal)
  }
}

/** A log or store that is busy or full at the start is waited for, like later on. */
async function openCursors(store: LogStore, options: ConsumeOptions, clock: Clock): Promise<Cursor[]> {
  for (let failures = 0; ; failures += 1) {
    try {
      const states = options.topics.flatMap(topic => store.states(topic))
      const cursors: Cursor[] = []
      for (const state of states) cursors.push(await openCursor(store, options, state, clock))
      return cursors
    } catch (error) {
      const reaction = classify(error)
      if (options.signal.aborted) return []
      if (reaction !== 'retry' && reaction !== 'wait') throw error
      await store.wakes.wait(store.wakes.version, pauseMsAfter(failures), clock, options.signal)
    }
  }
}

const pauseMsAfter = (failures: number): number =>
  Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20))

/** The store's word goes before the group's; a place behind the end means that the log was made anew: all of it is read. */
async function openCursor(
  store: LogStore,
  options: ConsumeOptions,
  state: PartitionState,
  clock: Clock,
): Promise<Cursor> {
  const { topic, partition, begin, end } = state
  const asked =
    (await options.startAt?.(topic, partition)) ?? store.committedOffset(options.group, topic, partition)
  const lost = asked !== undefined && asked > end
  if (lost) options.onGap?.({ topic, partition, from: asked, to: begin })
  return new Cursor(store, options, { topic, partition, next: lost ? begin : (asked ?? begin) }, clock)
}

class Cursor {
  readonly #store: LogStore
  readonly #options: ConsumeOptions
  readonly #clock: Clock
  readonly #topic: string
  readonly #partition: number
  readonly #batcher: Batcher<StoredMessage>
  /** Offset after the newest message that is in the batcher. */
  #next: number
  /** A batch that was thrown back. */
  #again: readonly StoredMessage[] | undefined
  #failures = 0
  #resumeAtMs = 0
  constructor(
    store: LogStore,
    options: ConsumeOptions,
    start: { readonly topic: string; readonly partition: number; readonly next: number },
    clock: Clock,
  ) {
    this.#store = store
    this.#options = options
    this.#clock = clock
    this.#topic = start.topic
    this.#partition = start.partition
    this.#next = start.next
    this.#batcher = new Batcher<StoredMessage>(options.limits, messageBytes)
  }

  /** Hands out at most one batch. True when it did, or when it failed. */
  async step(): Promise<boolean> {
    if (this.#options.signal.aborted || this.#clock.monotonicMs() < this.#resumeAtMs) return false
    // What the failure is told with: without messages where the log itself could not be read.
    let batch: PartitionBatch = { ...this.#place(), messages: [], end: this.#next }
    try {
      const messages = this.#again ?? this.#collect()
      const last = messages?.at(-1)
      if (messages && last) {
        batch = { ...batch, messages }
        batch = { ...batch, end: this.#state().end }
        await this.#options.onBatch(batch, this.#options.signal)
        await this.#store.commit(this.#options.group, this.#topic, this.#partition, last.offset + 1)
      }
    } catch (error) {
      this.#throwBack(batch, error)
      return true
    }
    this.#well()
    if (batch.messages.length === 0) return false
    this.#options.onCommitted?.(batch)
    return true
  }

  #place(): { readonly topic: string; readonly partition: number } {
    return { topic: this.#topic, partition: this.#partition }
  }

  #well(): void {
    this.#again = undefined
    if (this.#failures === 0) return
    this.#failures = 0
    this.#options.onRecovered?.(this.#place())
  }

  /** How long nothing needs to be done here unless somebody wakes the loop. */
  idleMs(): number {
    const nowMs = this.#clock.monotonicMs()
    if (this.#resumeAtMs > nowMs) return this.#resumeAtMs - nowMs
    return this.#batcher.dueInMs(nowMs) ?? pollMs
  }

  #collect(): readonly StoredMessage[] | undefined {
    const nowMs = this.#clock.monotonicMs()
    const room = this.#options.limits.maxRecords - this.#batcher.size
    const found = this.#store.fetch(this.#topic, this.#partition, this.#next, Math.max(1, room))
    this.#skipGap(found[0])
    for (const message of found) {
      const closed = this.#batcher.add(message, nowMs)
      this.#next = message.offset + 1
      if (closed) return closed
    }
    return this.#batcher.due(nowMs)
  }

  /** Offsets have no holes, so a hole is what retention took before this group read it. */
  #skipGap(first: StoredMessage | undefined): void {
    const begin = first?.offset ?? this.#state().begin
    if (begin <= this.#next) return
    this.#options.onGap?.({ ...this.#place(), from: this.#next, to: begin })
    this.#next = begin
  }

  #throwBack(batch: PartitionBatch, error: unknown): void {
    if (batch.messages.length > 0) this.#again = batch.messages
    if (this.#options.signal.aborted) return
    this.#resumeAtMs = this.#clock.monotonicMs() + pauseMsAfter(this.#failures)
    this.#failures += 1
    this.#options.onError?.(error, batch)
  }

  #state(): PartitionState {
    const state = this.#store.states(this.#topic)[this.#partition]
    if (!state)
      throw new CryptosError('CRY_INTERNAL', `partition ${this.#partition} of ${this.#topic} is gone`)
    return state
  }
}
