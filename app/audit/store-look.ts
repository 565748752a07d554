import type { EpochMicros } from '../../core/brands.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import type { AuditPorts } from './audit.ts'
import { compare, type Difference, type Excused } from './compare.ts'
import { ConsensusCheck } from './consensus.ts'
import type { Expected } from './expected.ts'
import type { Answers, Place, Range } from './read-answers.ts'
import { readMarket, readStore } from './read-rows.ts'
import type { Unstored } from './read-topic.ts'
import type { StoreReport } from './report.ts'
import { versionsOf } from './side.ts'
import type { AuditStore } from './store.ts'
import { Views } from './views.ts'

export interface StoreLook {
  readonly report: StoreReport
  readonly differences: readonly Difference[]
}

interface Look {
  readonly ports: AuditPorts
  readonly range: Range
  readonly expected: Expected
  readonly read: Answers
}

interface Looked {
  readonly store: AuditStore
  readonly unstored: Unstored
  readonly deadLetters: number
}

/** Everything about one store; its rows are in memory until it resolves. */
export async function lookAtStore(look: Look, { store, unstored, deadLetters }: Looked): Promise<StoreLook> {
  const of = new OneStore(look, store, unstored)
  const prices = await of.prices()
  const market = await of.market()
  const differences = [...prices.differences, ...market.differences].map(d => ({ ...d, store: store.name }))
  const report: StoreReport = {
    name: store.name,
    ...of.counts(),
    consensus: market.consensus,
    pending: unstored.waiting.size,
    refused: unstored.refused.size,
    deadLetters,
    bars: prices.bars,
    differences: differences.length,
  }
  return { report, differences }
}

class OneStore {
  readonly #look: Look
  readonly #store: AuditStore
  readonly #unstored: Unstored
  readonly #made: Place
  readonly #worked: Place
  constructor(look: Look, store: AuditStore, unstored: Unstored) {
    this.#look = look
    this.#store = store
    this.#unstored = unstored
    this.#made = look.expected.place('store')
    this.#worked = look.expected.place('store')
  }

  counts(): Pick<StoreReport, 'rows' | 'market' | 'workedOut'> {
    const workedOut = this.#worked.quotes.rows + this.#worked.market.rows
    return { rows: this.#made.quotes.rows, market: this.#made.market.rows, workedOut }
  }

  async prices(): Promise<{ readonly bars: number | null; readonly differences: readonly Difference[] }> {
    const { range, expected } = this.#look
    const { reader, hasBars } = this.#store
    const views = hasBars ? new Views() : undefined
    const sideOf = (quote: Quote) => expected.quotesOf(quote, this.#made, this.#worked)
    const wanted = expected.each(p => p.quotes.ids())
    const { later, span } = await readStore(reader, range, wanted, { sideOf, views })
    const seen = await views?.compare(reader, span.from, range.to)
    const absent = this.#absent(id => expected.answers.quotes.atOf(id))
    return {
      bars: seen?.bars ?? null,
      differences: [
        ...compare(expected.answers.quotes, this.#made.quotes, absent, later),
        ...compare(expected.worked.quotes, this.#worked.quotes, absent, later),
        ...(seen?.differences ?? []),
      ],
    }
  }

  async market(): Promise<{ readonly consensus: number; readonly differences: readonly Difference[] }> {
    const { expected } = this.#look
    const check = this.#check()
    const later = await this.#readMarket(check)
    const absent = this.#absent(id => expected.answers.market.atOf(id))
    check.rows(this.#worked.quotes, absent, later, expected.judgementsFrom)
    // A gap has one id, whoever tells of it: what came of an answer may replace what something else said, or be replaced by it.
    const worked = new Map([...versionsOf(expected.worked.market), ...later])
    const made = new Map([...versionsOf(expected.topic.market), ...later])
    return {
      consensus: check.count,
      differences: [
        ...compare(expected.answers.market, this.#made.market, absent, worked),
        ...compare(expected.worked.market, this.#worked.market, absent, made),
        ...check.differences,
      ],
    }
  }

  #check(): ConsensusCheck {
    const { expected, range } = this.#look
    const { reader } = this.#store
    return new ConsensusCheck({ reader, topic: expected.topic.quotes, store: this.#made.quotes, range })
  }

  async #readMarket(check: ConsensusCheck): Promise<ReadonlyMap<string, number>> {
    const { range, expected, read } = this.#look
    const wanted = expected.each(function* ({ market }) {
      for (const id of market.ids()) yield { id, at: market.atOf(id) }
    })
    return await readMarket(this.#store.reader, range, wanted, {
      sideOf: (record: MarketRecord) => expected.marketOf(read, record, this.#made, this.#worked),
      each: async record => {
        if (record.kind === 'consensus') await check.record(record)
      },
    })
  }

  /** What this store need not have: on its way, in the dead letters, or about a time that it does not keep. */
  #absent(atOf: (id: string) => EpochMicros): Excused {
    const { unpublished } = this.#look.read
    const { waiting, refused } = this.#unstored
    const { observedFrom = 0 } = this.#store
    const isOld = (id: string): boolean => observedFrom > 0 && atOf(id) < observedFrom
    return { has: id => unpublished.has(id) || waiting.has(id) || refused.has(id) || isOld(id) }
  }
}
