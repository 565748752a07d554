import type { MarketRecord, Quote } from '../../core/records.ts'
import type { AuditPorts } from './audit.ts'
import { isConsensusRow } from './consensus.ts'
import { Ids } from './ids.ts'
import type { Answers, Place } from './read-answers.ts'
import { type MarketSide, marketSide, quoteSide } from './side.ts'

/** What every store must have: what the answers make, and what the topics hold. */
export class Expected {
  readonly answers: Place
  readonly topic: Place
  /** What was worked out: no answer has it. */
  readonly worked: Place
  /** Judgements before may be gone from a store. */
  readonly judgementsFrom: number
  readonly #ports: AuditPorts
  readonly #quoteIds = new Ids()
  readonly #marketIds = new Ids()
  /** Of judgements that the store's retention may have removed. */
  readonly #forgotten: MarketSide

  constructor(ports: AuditPorts) {
    this.#ports = ports
    this.answers = this.place('answers')
    this.topic = this.place('topic')
    this.worked = this.place('topic')
    this.#forgotten = this.place('forgotten').market
    this.judgementsFrom = ports.judgementsFrom ?? 0
  }

  /** An empty place that can be compared with these. */
  place(name: string): Place {
    const { codec, marketCodec } = this.#ports
    return {
      quotes: quoteSide(name, quote => codec.encode(quote), this.#quoteIds),
      market: marketSide(name, record => marketCodec.encode(record), this.#marketIds),
    }
  }

  /** Of every place that tells what a store must have. */
  *each<T>(what: (place: Place) => Iterable<T>): Iterable<T> {
    for (const place of [this.answers, this.topic, this.worked]) yield* what(place)
  }

  quotesOf(quote: Quote, made: Place, worked: Place) {
    return isConsensusRow(quote) ? worked.quotes : made.quotes
  }

  marketOf({ ids }: Answers, record: MarketRecord, made: Place, worked: Place) {
    const isJudgement = record.kind === 'consensus' || record.kind === 'serving'
    if (isJudgement && record.at < this.judgementsFrom) return this.#forgotten
    return 'rawRef' in record && ids.has(record.rawRef) ? made.market : worked.market
  }
}
