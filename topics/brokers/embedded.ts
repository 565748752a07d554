import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type {
  Broker,
  ConsumeOptions,
  PartitionState,
  ReplayFrom,
  StoredMessage,
  TopicMessage,
  TopicSpec,
} from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { MINUTE } from '../../core/time.ts'
import { Bell } from '../../host/bell.ts'
import { migrate } from '../../host/migrations.ts'
import { SqlDb } from '../../host/sqlite.ts'
import { consumeLog } from '../consume.ts'
import { checkSpec, replayed } from '../place.ts'
import { Wakes } from '../wakes.ts'
import { EmbeddedLog } from './embedded-log.ts'
import { embeddedSchema } from './embedded-schema.ts'

export interface EmbeddedBrokerOptions {
  /** The log file; its folder is made if it is missing. On a local file system only. */
  readonly file: string
  readonly clock: Clock
  /** Created (or their retention changed) at open. */
  readonly topics?: readonly TopicSpec[]
}

/** Rows per read or delete, so that no transaction lasts long. */
const pageRows = 500
const scanRows = 10_000

/**
 * A broker in one SQLite file, for all processes of one machine. A produce of many messages is one transaction, synced before
 * it resolves; then the bell wakes consumers in other processes. Two processes that consume with the same group both get
 * every record: give each sink one consumer.
 */
class EmbeddedBroker implements Broker {
  readonly wakes = new Wakes()
  readonly #db: SqlDb
  readonly #log: EmbeddedLog
  readonly #bell: Bell
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #stopListening: (() => void) | undefined
  constructor(db: SqlDb, clock: Clock) {
    this.#db = db
    this.#log = new EmbeddedLog(db)
    this.#bell = new Bell(db.file)
    this.#clock = clock
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    topics.forEach(checkSpec)
    if (topics.every(spec => this.#isAsStored(spec))) return
    await this.#db.transaction(() => {
      for (const spec of topics) this.#log.addTopic(spec)
    })
  }

  async produce(messages: readonly TopicMessage[]): Promise<void> {
    if (messages.length === 0) return
    const places = this.#log.place(messages)
    await this.#db.transaction(() => this.#log.append(messages, places))
    this.#ring()
  }

  async consume(options: ConsumeOptions): Promise<void> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    // The loop polls by its own clock; the bell's own poll is only a second net.
    this.#stopListening ??= this.#bell.listen(() => this.wakes.wake(), MINUTE)
    const running = consumeLog(this, { ...options, signal }, this.#clock)
    this.#running.add(running)
    try {
      await running
    } finally {
      this.#running.delete(running)
      if (this.#running.size === 0) this.#stopBell()
    }
  }

  async *read(topic: string, from: ReplayFrom): AsyncIterable<StoredMessage> {
    for (const state of replayed(this.states(topic), from)) {
      let offset = 'offset' in from ? from.offset : await this.#findTime(state, from.time)
      while (offset < state.end) {
        const page = this.fetch(topic, state.partition, offset, Math.min(pageRows, state.end - offset))
        for (const message of page) if (message.offset < state.end) yield message
        offset = page.length === 0 ? state.end : (page.at(-1)?.offset ?? state.end) + 1
      }
    }
  }

  async partitions(topic: string): Promise<readonly PartitionState[]> {
    return this.states(topic)
  }

  async committed(group: string): ReturnType<Broker['committed']> {
    return this.#log.committed(group)
  }

  async applyRetention(now: EpochMicros): Promise<number> {
    let removed = 0
    for (const { spec } of this.#log.topics())
      for (const state of this.states(spec.name)) {
        const oldest = Math.max(0, now - spec.retentionMs * 1_000) as EpochMicros
        removed += await this.#cutPaged(state, await this.#findTime(state, oldest))
      }
    return removed
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    this.#stopBell()
    this.#bell.close()
    this.#db.close()
  }

  states(topic: string): readonly PartitionState[] {
    return this.#log.states(topic)
  }

  fetch(topic: string, partition: number, offset: number, limit: number): readonly StoredMessage[] {
    return this.#log.fetch(topic, partition, offset, limit)
  }

  committedOffset(group: string, topic: string, partition: number): number | undefined {
    return this.#log.committedOffset(group, topic, partition)
  }

  async commit(group: string, topic: string, partition: number, offset: number): Promise<void> {
    await this.#db.transaction(() => this.#log.commit(group, topic, partition, offset))
  }

  #isAsStored(spec: TopicSpec): boolean {
    const stored = this.#log.topic(spec.name)?.spec
    return stored?.retentionMs === spec.retentionMs && stored.maxMessageBytes === spec.maxMessageBytes
  }

  /** The records are durable by now: a bell that can not be rung only makes readers later. */
  #ring(): void {
    this.wakes.wake()
    try {
      this.#bell.ring()
    } catch (error) {
      process.emitWarning(`the bell of ${this.#db.file} can not be rung: ${toCryptosError(error).message}`)
    }
  }

  #stopBell(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** First offset since a time, else the end. Scans in pages, because timestamps need not grow. */
  async #findTime(state: PartitionState, time: EpochMicros): Promise<number> {
    const { id } = this.#log.known(state.topic)
    for (let from = state.begin; from < state.end; from += scanRows) {
      const to = Math.min(state.end, from + scanRows)
      const found = this.#log.firstSince(id, state.partition, [from, to], time)
      if (found !== undefined) return found
      await nextTurn()
    }
    return state.end
  }

  async #cutPaged(state: PartitionState, end: number): Promise<number> {
    const { id } = this.#log.known(state.topic)
    let removed = 0
    for (let from = state.begin; from < end; from += scanRows) {
      const to = Math.min(end, from + scanRows)
      removed += await this.#db.transaction(() => this.#log.cut(id, state.partition, to))
    }
    return removed
  }
}

/**
 * Opens (and makes, if it is missing) the embedded log.
 * @throws CryptosError CRY_STORE_CORRUPT, CRY_STORE_NEWER, CRY_STORE_UNWRITABLE, CRY_STORE_BUSY, CRY_DISK_FULL
 */
export async function openEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<Broker> {
  const db = new SqlDb(options.file, { synchronous: 'FULL' })
  try {
    await migrate(db, embeddedSchema)
    const broker = new EmbeddedBroker(db, options.clock)
    await broker.createTopics(options.topics ?? [])
    return broker
  } catch (error) {
    db.close()
    throw error
  }
}
