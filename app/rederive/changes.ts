import type { EpochMicros } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { MarketRecord, Metric, Quote } from '../../core/records.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import type { TopicTable } from '../../topics/table.ts'
import { Ids } from '../audit/ids.ts'
import { decoded } from '../audit/read-topic.ts'
import { type MarketSide, marketSide, type QuoteSide, quoteSide, type Side } from '../audit/side.ts'

/** How rows of the current mapping differ from those that the topics have of the same answers. */
export interface RowChanges {
  /** Other than in the topic, in any digit or field. */
  readonly changed: number
  /** Not in the topic: an answer that could not be read before, or a record that retention has removed. */
  readonly added: number
  /** In the topic, and no longer made: nothing deletes them from a store, `cryptos audit` tells them as extra. */
  readonly gone: number
  /** A later answer has replaced them already: another revision of this one changes nothing in a store. */
  readonly replaced: number
}

/** Prices and figures; what a gap says follows from them. */
type Row = Quote | Metric

interface Rows {
  readonly quotes: QuoteSide
  readonly metrics: MarketSide
}

/** Compares rows that are made now with those of the topics, both in the revision that the answers have. */
export class Changes {
  readonly #made: Rows
  readonly #before: Rows
  readonly #answers = new Set<string>()
  constructor() {
    const [quoteIds, metricIds] = [new Ids(), new Ids()]
    const rows = (name: string): Rows => ({
      quotes: quoteSide(name, quote => quoteJson.encode(quote), quoteIds),
      metrics: marketSide(name, record => marketRecordJson.encode(record), metricIds),
    })
    this.#made = rows('made')
    this.#before = rows('before')
  }

  /** What an answer makes now. */
  made({ answerId }: OutboxEntry, rows: readonly Row[]): void {
    this.#answers.add(answerId)
    for (const row of rows) add(this.#made, row)
  }

  /** Reads what the topics have since the first of these answers was received. */
  async readTopics(broker: Broker, topics: TopicTable, from: EpochMicros): Promise<void> {
    // Timestamps are times of receipt, but messages of one partition need not be in their order.
    const since = addMs(from, -Math.min(HOUR, from / 1_000))
    for await (const quote of recordsOf(broker, topics.quotes.name, quoteJson, since)) this.#take(quote)
    for await (const record of recordsOf(broker, topics.metrics.name, marketRecordJson, since))
      if (record.kind === 'metric') this.#take(record)
  }

  #take(row: Row): void {
    const isMine = this.#answers.has(row.rawRef)
    const { quotes, metrics } = this.#made
    const isMade = row.kind === 'quote' ? holdsId(quotes, row) : holdsId(metrics, row)
    if (isMine || isMade) add(this.#before, row)
  }

  count(): RowChanges {
    const quotes = countSide(this.#made.quotes, this.#before.quotes)
    const metrics = countSide(this.#made.metrics, this.#before.metrics)
    return {
      changed: quotes.changed + metrics.changed,
      added: quotes.added + metrics.added,
      gone: quotes.gone + metrics.gone,
      replaced: quotes.replaced + metrics.replaced,
    }
  }
}

const add = ({ quotes, metrics }: Rows, row: Row): string =>
  row.kind === 'quote' ? quotes.add(row) : metrics.add(row)

const holdsId = <R extends Quote | MarketRecord>(side: Side<R>, row: R): boolean =>
  side.versionOf(side.idOf(row)) !== undefined

type Compared = Pick<QuoteSide | MarketSide, 'ids' | 'versionOf'>

function countSide<S extends Compared & { isLike(other: S, id: string): boolean }>(
  made: S,
  before: S,
): RowChanges {
  const count = { changed: 0, added: 0, gone: 0, replaced: 0 }
  for (const id of made.ids()) {
    const [now, then] = [made.versionOf(id) ?? 0, before.versionOf(id)]
    if (then === undefined || then < now) count.added += 1
    else if (then > now) count.replaced += 1
    else if (!made.isLike(before, id)) count.changed += 1
  }
  for (const id of before.ids()) if (made.versionOf(id) === undefined) count.gone += 1
  return count
}

async function* recordsOf<R extends Quote | MarketRecord>(
  broker: Broker,
  topic: string,
  codec: Codec<R>,
  since: EpochMicros,
): AsyncIterable<R> {
  for await (const { value } of broker.read(topic, { time: since })) {
    const record = value === null ? undefined : decoded(codec, value)
    if (record !== undefined) yield record
  }
}
