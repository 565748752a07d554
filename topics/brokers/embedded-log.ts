import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { PartitionState, StoredMessage, TopicMessage, TopicSpec } from '../../core/ports/broker.ts'
import type { SqlDb } from '../../host/sqlite.ts'
import { placeOf } from '../place.ts'
import { prepareLog, storedMessage, topicEntry } from './embedded-sql.ts'
import type { TopicEntry } from './embedded-sql.ts'

/** What one fetch may hold in memory where messages can be large. */
const maxFetchBytes = 16 * 1_024 * 1_024

/** The statements over one log file. Whoever calls decides about transactions. */
export class EmbeddedLog {
  readonly #topics = new Map<string, TopicEntry>()
  readonly #sql: ReturnType<typeof prepareLog>
  constructor(db: SqlDb) {
    this.#sql = prepareLog(db)
  }

  /** The topic; looked up in the file when this process does not know it yet. */
  topic(name: string): TopicEntry | undefined {
    if (!this.#topics.has(name)) this.reload()
    return this.#topics.get(name)
  }

  topics(): readonly TopicEntry[] {
    this.reload()
    return [...this.#topics.values()]
  }

  reload(): void {
    for (const row of this.#sql.topics.all()) this.#topics.set(String(row['name']), topicEntry(row))
  }

  known(name: string): TopicEntry {
    const entry = this.topic(name)
    if (!entry) throw new CryptosError('CRY_RECORD_INVALID', `no such topic: ${JSON.stringify(name)}`)
    return entry
  }

  addTopic(spec: TopicSpec): void {
    this.#sql.addTopic.run(spec.name, spec.partitions, spec.retentionMs, spec.maxMessageBytes)
    this.reload()
    const { id, spec: stored } = this.known(spec.name)
    for (let part = 0; part < stored.partitions; part += 1) this.#sql.addPart.run(id, part)
  }

  /** Where each message goes. @throws CryptosError CRY_RECORD_INVALID */
  place(messages: readonly TopicMessage[]): readonly { readonly id: number; readonly part: number }[] {
    return messages.map(message => {
      const entry = this.topic(message.topic)
      const part = placeOf(message, entry?.spec)
      return { id: entry?.id ?? 0, part }
    })
  }

  /** Inside a write transaction. */
  append(messages: readonly TopicMessage[], places: ReturnType<EmbeddedLog['place']>): void {
    const ends = new Map<string, { readonly id: number; readonly part: number; next: number }>()
    messages.forEach((message, index) => {
      const { id, part } = places[index] ?? { id: 0, part: 0 }
      const key = `${id}/${part}`
      const end = ends.get(key) ?? { id, part, next: this.state(id, part).next }
      ends.set(key, end)
      const headers = JSON.stringify(message.headers)
      this.#sql.append.run(id, part, end.next, message.key, message.value, headers, message.timestamp)
      end.next += 1
    })
    for (const { id, part, next } of ends.values()) this.#sql.setNext.run(next, id, part)
  }

  state(id: number, part: number): { readonly first: number; readonly next: number } {
    const row = this.#sql.state.get(id, part)
    if (!row) throw new CryptosError('CRY_STORE_CORRUPT', `the log has lost partition ${part} of topic ${id}`)
    return { first: Number(row['first']), next: Number(row['next']) }
  }

  states(topic: string): readonly PartitionState[] {
    const { id, spec } = this.known(topic)
    return Array.from({ length: spec.partitions }, (_, partition) => {
      const { first, next } = this.state(id, partition)
      return { topic, partition, begin: first, end: next }
    })
  }

  fetch(topic: string, partition: number, offset: number, limit: number): readonly StoredMessage[] {
    const { id, spec } = this.known(topic)
    const fits = spec.maxMessageBytes * limit <= maxFetchBytes
    const count = fits ? limit : this.#countWithin(id, partition, offset, limit)
    return this.#sql.fetch.all(id, partition, offset, count).map(row => storedMessage(topic, partition, row))
  }

  /** How many messages from `offset` on stay under the byte cap; one at least. Sizes are known without reading the values. */
  #countWithin(id: number, part: number, offset: number, limit: number): number {
    let bytes = 0
    const sizes = this.#sql.sizes.all(id, part, offset, limit)
    const over = sizes.findIndex(row => {
      bytes += Number(row['bytes'])
      return bytes > maxFetchBytes
    })
    return over < 0 ? limit : Math.max(1, over)
  }

  /** First offset in [from, to) with a timestamp of `time` or later. */
  firstSince(
    id: number,
    part: number,
    range: readonly [number, number],
    time: EpochMicros,
  ): number | undefined {
    const row = this.#sql.firstSince.get(id, part, range[0], range[1], time)
    return row ? Number(row['off']) : undefined
  }

  /** Inside a write transaction: removes everything before `offset`. Returns how many. */
  cut(id: number, part: number, offset: number): number {
    const { changes } = this.#sql.cut.run(id, part, offset)
    this.#sql.setFirst.run(offset, id, part)
    return changes
  }

  committed(group: string): readonly { topic: string; partition: number; offset: number }[] {
    return this.#sql.committed.all(group).map(row => ({
      topic: String(row['name']),
      partition: Number(row['part']),
      offset: Number(row['off']),
    }))
  }

  committedOffset(group: string, topic: string, partition: number): number | undefined {
    const row = this.#sql.offset.get(group, this.known(topic).id, partition)
    return row ? Number(row['off']) : undefined
  }

  commit(group: string, topic: string, partition: number, offset: number): void {
    this.#sql.commit.run(group, this.known(topic).id, partition, offset)
  }
}
