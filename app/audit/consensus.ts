import { Decimal } from 'decimal.js'
import type { KeyReader } from '../../core/ports/reader.ts'
import {
  type Consensus,
  type ConsensusSource,
  consensusProvider,
  marketRecordId,
  type Quote,
  quoteId,
} from '../../core/records.ts'
import type { Difference, Excused } from './compare.ts'
import { groupAt } from './groups.ts'
import type { Range } from './read-answers.ts'
import { rowOf } from './read-rows.ts'
import type { QuoteSide } from './side.ts'

/** The median of any prices that the product stores is exact. */
const Exact = Decimal.clone({ precision: 900 })
/** So many digits of a median are stored. */
const storedDigits = 60

/** A price that was worked out: the row of a consensus. Made of no answer, it is checked against the record that it shows. */
export const isConsensusRow = ({ provider, rawRef }: Quote): boolean =>
  provider === consensusProvider && rawRef.startsWith('consensus|')

/** The minute that a row is about: the end of its id. */
const timeIn = (id: string): number => Number(id.slice(id.lastIndexOf('|') + 1))

/** Prices of the range, made of answers. */
interface Prices {
  readonly reader: KeyReader
  readonly topic: QuoteSide
  readonly store: QuoteSide
  readonly range: Range
}

type Stored = Pick<Quote, 'price' | 'receivedAt'>

/** Checks each consensus by itself, then the rows that show them. */
export class ConsensusCheck {
  /** Consensus records that were looked at. */
  count = 0
  readonly differences: Difference[] = []
  readonly #prices: Prices
  /** Price and group of each record, by its id, which is that of its row. */
  readonly #seen = new Map<string, { readonly price: string; readonly version: number }>()
  /** Rows of sources that are older than the range; null = there is none. */
  readonly #rows = new Map<string, Stored | null>()
  constructor(prices: Prices) {
    this.#prices = prices
  }

  /** The price is the median of the sources that count, and each source said what stands there. */
  async record(consensus: Consensus): Promise<void> {
    this.count += 1
    const id = marketRecordId(consensus)
    this.#seen.set(id, { price: consensus.price, version: consensus.receivedAt })
    const group = groupAt('consensus', consensus.asset, consensus.at)
    if (!isMedian(consensus)) this.differences.push({ kind: 'changed', in: 'consensus', group, id })
    for (const source of consensus.sources) {
      const said = quoteId({ ...source, asset: consensus.asset, currency: consensus.currency })
      const kind = await this.#wrong(said, source, consensus)
      if (kind) this.differences.push({ kind, in: 'sources of the consensus', group, id: `${id} ${said}` })
    }
  }

  /**
   * Each row shows its record.
   * @param pending ids of records that the store does not have yet
   * @param later versions by id of records that were worked out anew after the range
   * @param keptFrom records about earlier minutes may be gone: their retention is shorter than that of their rows
   */
  rows(rows: QuoteSide, pending: Excused, later: ReadonlyMap<string, number>, keptFrom = 0): void {
    for (const id of rows.ids()) {
      if (pending.has(id) || later.has(id) || timeIn(id) < keptFrom) continue
      const record = this.#seen.get(id)
      const of = { in: 'consensus', group: rows.groupOf(id), id }
      if (!record) this.differences.push({ kind: 'missing', ...of })
      else if (!rows.hasPrice(id, record.price)) this.differences.push({ kind: 'changed', ...of })
    }
  }

  /** What is wrong with a source; undefined = nothing, or nobody can tell any more. */
  async #wrong(
    id: string,
    { price, observedAt }: ConsensusSource,
    c: Consensus,
  ): Promise<Difference['kind'] | undefined> {
    const { topic, store, range } = this.#prices
    if (store.hadPrice(id, price) || topic.hadPrice(id, price)) return undefined
    const version = store.versionOf(id) ?? topic.versionOf(id)
    // A newer value of the same moment came after the consensus.
    if (version !== undefined) return version > c.receivedAt ? undefined : 'changed'
    const row = await this.#stored(id)
    if (row) return row.price === price || row.receivedAt > c.receivedAt ? undefined : 'changed'
    return observedAt >= range.from ? 'extra' : undefined
  }

  /** The row of the store, asked for once: a source that stands still is in the consensus of every minute. */
  async #stored(id: string): Promise<Stored | null> {
    const known = this.#rows.get(id)
    if (known !== undefined) return known
    const [quote] = await Array.fromAsync(rowOf(this.#prices.reader, id))
    const row = quote ? { price: quote.price, receivedAt: quote.receivedAt } : null
    this.#rows.set(id, row)
    return row
  }
}

/** Of an even number: the mean of the two in the middle. */
function isMedian({ price, sources }: Consensus): boolean {
  const prices = sources
    .filter(s => s.excluded === null)
    .map(s => new Exact(s.price))
    .sort((a, b) => a.comparedTo(b))
  const [low, high] = [prices[(prices.length - 1) >> 1], prices[prices.length >> 1]]
  if (!low || !high) return false
  const median = low.plus(high).dividedBy(2)
  return median.equals(price) || median.toSignificantDigits(storedDigits).equals(price)
}
