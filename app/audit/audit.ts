import type { EpochMicros } from '../../core/brands.ts'
import type { Broker, TopicSpec } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { Ledger, OutboxEntry } from '../../core/ports/ledger.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { compare, type Difference } from './compare.ts'
import { Expected } from './expected.ts'
import { keptFrom } from './kept-from.ts'
import {
  type Answers,
  type Range,
  readAnswers,
  readLetterIds,
  readVanished,
  settleBuried,
} from './read-answers.ts'
import { type Consumer, readTopic, type TopicToRead } from './read-topic.ts'
import { type AuditReport, type KeptFrom, told } from './report.ts'
import type { AuditStore } from './store.ts'
import { versionsOf } from './side.ts'
import { lookAtStore, type StoreLook } from './store-look.ts'

/** All that can be made again of one answer. */
export interface DerivedRecords {
  readonly quotes: readonly Quote[]
  readonly market: readonly MarketRecord[]
  /** Set where the answer belongs into the dead letters. */
  readonly error?: unknown
}

export interface AuditPorts {
  readonly ledger: Ledger
  readonly broker: Broker
  /** At least one; each is looked at by itself, so only one is in memory. */
  readonly stores: readonly AuditStore[]
  readonly codec: Codec<Quote>
  readonly marketCodec: Codec<MarketRecord>
  /** The topic that carries the quotes, and those of the records beside them. */
  readonly quotes: TopicToRead
  readonly market: readonly TopicToRead[]
  readonly deadLetters: Pick<TopicSpec, 'name' | 'retentionMs'>
  /** Maps a raw answer with its provider's own mapping. Never throws. */
  readonly derive: (entry: OutboxEntry) => DerivedRecords
  /** Id of the dead letter of an answer. */
  readonly letterIdOf: (answerId: string) => string
  /** Consensus details and roles about earlier moments may be gone from a store; absent = none are. */
  readonly judgementsFrom?: EpochMicros
}

/**
 * Rows in = rows out: every accepted answer, mapped again, against the topic and each store, by id and version, for answers received
 * in [from, to), where `to` is at most now, and `from` at least the time since when all of them keep everything; what was worked out
 * of them, topic against store and each consensus by itself; and the bars and latest prices against the rows of their store.
 */
export async function audit(ports: AuditPorts, from: EpochMicros, to: EpochMicros): Promise<AuditReport> {
  const kept = await keptFrom(ports, { from, to })
  return await new Audit(ports, { from: kept.from, to }, kept).run()
}

class Audit {
  readonly #ports: AuditPorts
  readonly #range: Range
  readonly #kept: KeptFrom
  readonly #expected: Expected
  readonly #consumers: readonly Consumer[]
  constructor(ports: AuditPorts, range: Range, kept: KeptFrom) {
    this.#ports = ports
    this.#range = range
    this.#kept = kept
    this.#expected = new Expected(ports)
    this.#consumers = ports.stores.map(({ groupOf }) => ({
      groupOf,
      unstored: { waiting: new Set(), refused: new Set() },
    }))
  }

  async run(): Promise<AuditReport> {
    const vanished = await readVanished(this.#ports, this.#range)
    const letters = await readLetterIds(this.#ports)
    const read = await readAnswers(this.#ports, this.#range, letters, this.#expected.answers)
    const buried = await this.#readTopics(read, letters)
    const looks: StoreLook[] = []
    for (const [index, store] of this.#ports.stores.entries())
      looks.push(await this.#look(store, index, read, letters))
    const differences = [...vanished, ...read.differences, ...this.#compareTopic(read)]
    return {
      answers: read.count,
      unmapped: read.unmapped + buried,
      ...this.#sums(read, looks),
      stores: looks.map(look => look.report),
      ...told([...differences, ...looks.flatMap(look => look.differences)]),
    }
  }

  /** Returns how many answers are only in the dead letters although they could be mapped. */
  async #readTopics(read: Answers, letters: ReadonlySet<string>): Promise<number> {
    const { broker, codec, marketCodec, quotes, market } = this.#ports
    const expected = this.#expected
    const sideOf = (quote: Quote) => expected.quotesOf(quote, expected.topic, expected.worked)
    await readTopic({ broker, letters, codec, sideOf }, quotes, this.#range, this.#consumers)
    const buried = settleBuried(read, expected.answers, expected.topic.quotes)
    const marketOf = (record: MarketRecord) =>
      expected.marketOf(read, record, expected.topic, expected.worked)
    const ports = { broker, letters, codec: marketCodec, sideOf: marketOf }
    for (const topic of market) await readTopic(ports, topic, this.#range, this.#consumers)
    return buried
  }

  #compareTopic(read: Answers): readonly Difference[] {
    const { answers, topic, worked } = this.#expected
    return [
      ...compare(answers.quotes, topic.quotes, read.unpublished),
      ...compare(answers.market, topic.market, read.unpublished, versionsOf(worked.market)),
    ]
  }

  #look(store: AuditStore, index: number, read: Answers, letters: ReadonlySet<string>): Promise<StoreLook> {
    const unstored = this.#consumers[index]?.unstored ?? { waiting: new Set(), refused: new Set() }
    const { quotes, market } = this.#ports
    const groups = [quotes, ...market].map(({ topic }) => `${store.groupOf(topic)}/`)
    const deadLetters = [...letters].filter(id => groups.some(group => id.startsWith(group))).length
    return lookAtStore(
      { ports: this.#ports, range: this.#range, expected: this.#expected, read },
      { store, unstored, deadLetters },
    )
  }

  #sums(read: Answers, looks: readonly StoreLook[]) {
    const { answers, topic, worked } = this.#expected
    const waiting = this.#consumers.flatMap(({ unstored }) => [...unstored.waiting])
    const [first] = looks.map(look => look.report)
    return {
      rows: { answers: answers.quotes.rows, topic: topic.quotes.rows, store: first?.rows ?? 0 },
      distinct: answers.quotes.size,
      market: { answers: answers.market.rows, topic: topic.market.rows, store: first?.market ?? 0 },
      workedOut: { topic: worked.quotes.rows + worked.market.rows, store: first?.workedOut ?? 0 },
      consensus: first?.consensus ?? 0,
      pending: new Set([...read.unpublished, ...waiting]).size,
      refused: new Set(this.#consumers.flatMap(({ unstored }) => [...unstored.refused])).size,
      bars: looks.reduce((sum, { report }) => sum + (report.bars ?? 0), 0),
      groups: answers.quotes.countGroups() + answers.market.countGroups(),
      keptFrom: this.#kept,
    }
  }
}
