import type { EpochMicros } from '../../core/brands.ts'
import type { Broker, TopicSpec } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { Ledger, OutboxEntry } from '../../core/ports/ledger.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { compare, type Difference } from './compare.ts'
import { ConsensusCheck, isConsensusRow } from './consensus.ts'
import {
  type Answers,
  type Place,
  readAnswers,
  readLetterIds,
  readVanished,
  settleBuried,
} from './read-answers.ts'
import { type AuditReader, readMarket, readStore } from './read-rows.ts'
import { readTopic, type TopicToRead, type Unstored } from './read-topic.ts'
import { type MarketSide, marketSide, quoteSide } from './side.ts'
import { Views } from './views.ts'

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
  readonly reader: AuditReader
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
  /** Consensus details and roles about earlier moments may be gone from the store; absent = none are. */
  readonly judgementsFrom?: EpochMicros
}

type Rows = Readonly<Record<'answers' | 'topic' | 'store', number>>

export interface AuditReport {
  readonly answers: number
  /** Answers that could not be published: they are in the dead letters, not in the rows. */
  readonly unmapped: number
  /** Prices that were made of answers. */
  readonly rows: Rows
  readonly distinct: number
  /** Figures and gaps that were made of answers. */
  readonly market: Rows
  /** What was worked out of the prices (consensus, who serves, doubts), records and rows together. */
  readonly workedOut: Readonly<Record<'topic' | 'store', number>>
  /** Of these the consensus prices that were worked out again. */
  readonly consensus: number
  /** Published, but not stored yet: not a defect while `up` or `process` runs. */
  readonly pending: number
  /** Records that the store's group put into the dead letters. */
  readonly refused: number
  /** Minutes and hours that were made anew from the store's rows. */
  readonly bars: number
  readonly groups: number
  readonly badGroups: readonly string[]
  readonly differences: readonly Difference[]
}

/**
 * Rows in = rows out: every accepted answer, mapped again, against the topic and the store, by id and version, for answers received
 * in [from, to), where `to` is at most now; what was worked out of them, topic against store and each consensus by itself; and the
 * bars and latest prices against the store's rows.
 */
export async function audit(ports: AuditPorts, from: EpochMicros, to: EpochMicros): Promise<AuditReport> {
  return await new Audit(ports, { from, to }).run()
}

class Audit {
  readonly #ports: AuditPorts
  readonly #range: { readonly from: EpochMicros; readonly to: EpochMicros }
  readonly #answers: Place
  readonly #topic: Place
  readonly #store: Place
  /** What was worked out: no answer has it. */
  readonly #workedTopic: Place
  readonly #workedStore: Place
  /** Of judgements that the store's retention may have removed. */
  readonly #forgotten: MarketSide
  readonly #keptFrom: number
  readonly #unstored: Unstored = { waiting: new Set(), refused: new Set() }
  constructor(ports: AuditPorts, range: { readonly from: EpochMicros; readonly to: EpochMicros }) {
    this.#ports = ports
    this.#range = range
    const place = (name: string): Place => ({
      quotes: quoteSide(name, quote => ports.codec.encode(quote)),
      market: marketSide(name, record => ports.marketCodec.encode(record)),
    })
    this.#answers = place('answers')
    this.#topic = place('topic')
    this.#store = place('store')
    this.#workedTopic = place('topic')
    this.#workedStore = place('store')
    this.#forgotten = place('forgotten').market
    this.#keptFrom = ports.judgementsFrom ?? 0
  }

  async run(): Promise<AuditReport> {
    const vanished = await readVanished(this.#ports, this.#range)
    const letters = await readLetterIds(this.#ports)
    const read = await readAnswers(this.#ports, this.#range, letters, this.#answers)
    const buried = await this.#readTopics(read, letters)
    const pending = () => new Set([...read.unpublished, ...this.#unstored.waiting])
    const prices = await this.#comparePrices(read, pending())
    const market = await this.#compareMarket(read, pending())
    const differences = [...vanished, ...read.differences, ...prices.differences, ...market.differences]
    return {
      answers: read.count,
      unmapped: read.unmapped + buried,
      ...this.#counts(),
      consensus: market.consensus,
      pending: pending().size,
      refused: this.#unstored.refused.size,
      bars: prices.bars,
      groups: this.#answers.quotes.countGroups() + this.#answers.market.countGroups(),
      ...told(differences),
    }
  }

  /** Returns how many answers are only in the dead letters although they could be mapped. */
  async #readTopics(read: Answers, letters: ReadonlySet<string>): Promise<number> {
    const { broker, codec, marketCodec, quotes, market } = this.#ports
    const sideOf = (quote: Quote) => this.#quotesOf(quote, this.#topic, this.#workedTopic)
    await readTopic({ broker, letters, codec, sideOf }, quotes, this.#range, this.#unstored)
    const buried = settleBuried(read, this.#answers, this.#topic.quotes)
    const marketOf = (record: MarketRecord) => this.#marketOf(read, record, this.#topic, this.#workedTopic)
    for (const topic of market)
      await readTopic(
        { broker, letters, codec: marketCodec, sideOf: marketOf },
        topic,
        this.#range,
        this.#unstored,
      )
    return buried
  }

  async #comparePrices(read: Answers, pending: ReadonlySet<string>) {
    const views = new Views()
    const sideOf = (quote: Quote) => this.#quotesOf(quote, this.#store, this.#workedStore)
    const wanted = this.#each(p => p.quotes.held.keys())
    const { later, span } = await readStore(this.#ports.reader, this.#range, wanted, { sideOf, views })
    const seen = await views.compare(this.#ports.reader, span.from, this.#range.to)
    const absent = new Set([...pending, ...this.#unstored.refused])
    return {
      bars: seen.bars,
      differences: [
        ...compare(this.#answers.quotes, this.#topic.quotes, read.unpublished),
        ...compare(this.#answers.quotes, this.#store.quotes, absent, later),
        ...compare(this.#workedTopic.quotes, this.#workedStore.quotes, absent, later),
        ...seen.differences,
      ],
    }
  }

  async #compareMarket(read: Answers, pending: ReadonlySet<string>) {
    const { reader } = this.#ports
    const check = new ConsensusCheck({
      reader,
      topic: this.#topic.quotes,
      store: this.#store.quotes,
      range: this.#range,
    })
    const wanted = this.#each(function* ({ market }) {
      for (const id of market.held.keys()) yield { id, at: market.atOf(id) }
    })
    const later = await readMarket(reader, this.#range, wanted, {
      sideOf: record => this.#marketOf(read, record, this.#store, this.#workedStore),
      each: async record => {
        if (record.kind === 'consensus') await check.record(record)
      },
    })
    const absent = new Set([...pending, ...this.#unstored.refused])
    check.rows(this.#workedStore.quotes, absent, later, this.#keptFrom)
    // A gap has one id, whoever tells of it: what came of an answer may replace what something else said, or be replaced by it.
    const versions = (side: MarketSide) => [...side.held].map(([id, held]) => [id, held.version] as const)
    const worked = new Map([...versions(this.#workedTopic.market), ...later])
    const made = new Map([...versions(this.#topic.market), ...later])
    return {
      consensus: check.count,
      differences: [
        ...compare(this.#answers.market, this.#topic.market, read.unpublished, worked),
        ...compare(this.#answers.market, this.#store.market, absent, worked),
        ...compare(this.#workedTopic.market, this.#workedStore.market, absent, made),
        ...check.differences,
      ],
    }
  }

  /** Of every place that tells what the store must have. */
  *#each<T>(what: (place: Place) => Iterable<T>): Iterable<T> {
    for (const place of [this.#answers, this.#topic, this.#workedTopic]) yield* what(place)
  }

  #quotesOf(quote: Quote, made: Place, worked: Place) {
    return isConsensusRow(quote) ? worked.quotes : made.quotes
  }

  #marketOf({ ids }: Answers, record: MarketRecord, made: Place, worked: Place) {
    const isJudgement = record.kind === 'consensus' || record.kind === 'serving'
    if (isJudgement && record.at < this.#keptFrom) return this.#forgotten
    return 'rawRef' in record && ids.has(record.rawRef) ? made.market : worked.market
  }

  #counts(): Pick<AuditReport, 'rows' | 'distinct' | 'market' | 'workedOut'> {
    const of = (place: Place): number => place.quotes.rows + place.market.rows
    const [answers, topic, store] = [this.#answers, this.#topic, this.#store]
    return {
      rows: { answers: answers.quotes.rows, topic: topic.quotes.rows, store: store.quotes.rows },
      distinct: answers.quotes.held.size,
      market: { answers: answers.market.rows, topic: topic.market.rows, store: store.market.rows },
      workedOut: { topic: of(this.#workedTopic), store: of(this.#workedStore) },
    }
  }
}

const told = (differences: readonly Difference[]): Pick<AuditReport, 'badGroups' | 'differences'> => ({
  badGroups: [...new Set(differences.map(d => d.group))].sort((a, b) => a.localeCompare(b)),
  differences,
})

/**
 * The same while others write: an answer that was received before `to` may be settled right after the outbox was read, and be in
 * the topic and the store when those are read. A difference counts only when it is still there at a second look.
 */
export async function auditWhileWriting(
  ports: AuditPorts,
  from: EpochMicros,
  to: EpochMicros,
): Promise<AuditReport> {
  const first = await audit(ports, from, to)
  if (first.differences.length === 0) return first
  const nameOf = (d: Difference): string => `${d.kind} ${d.in} ${d.id}`
  const before = new Set(first.differences.map(nameOf))
  const second = await audit(ports, from, to)
  return { ...second, ...told(second.differences.filter(d => before.has(nameOf(d)))) }
}
