import type { Clock } from '../../../core/ports/clock.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { saysNow } from '../rows-to-history.ts'
import { forgottenAfterMs } from './known.ts'
import { monthOf } from './months.ts'
import { intBytes } from './numbers.ts'

/** A series as the server is told of it, and what it was told already. */
export interface QuoteSeries {
  readonly provider: Buffer
  readonly asset: Buffer
  readonly currency: Buffer
  readonly of: ProviderBook
  readonly months: Map<number, QuotePartition>
  /** The newest moment that was marked as the latest; -1 = none. */
  latestAt: number
}

/** A month of a series. */
export interface QuotePartition {
  readonly series: QuoteSeries
  readonly month: number
  readonly monthBytes: Buffer
  isNamed: boolean
}

export interface ProviderBook {
  readonly provider: Buffer
  readonly assets: Map<string, Map<string, QuoteSeries>>
  isNamed: boolean
}

/** The series that this process wrote, by their names: nothing of them is encoded, named or marked anew for each row. */
export class SeriesBook {
  readonly #clock: Clock
  readonly #providers = new Map<string, ProviderBook>()
  #since: number
  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonicMs()
  }

  /** The quotes of a batch by where they lie. */
  partsOf(quotes: readonly Quote[]): ReadonlyMap<QuotePartition, PartitionRows> {
    this.#forgetOld()
    const parts = new Map<QuotePartition, PartitionRows>()
    for (const q of quotes) {
      const partition = this.partitionOf(q)
      const part = parts.get(partition) ?? new PartitionRows()
      if (part.rows.length === 0) parts.set(partition, part)
      part.add(q)
    }
    return parts
  }

  /** After an hour everything is told once more, whatever happened to the tables meanwhile. */
  #forgetOld(): void {
    if (this.#clock.monotonicMs() - this.#since <= forgottenAfterMs) return
    this.#providers.clear()
    this.#since = this.#clock.monotonicMs()
  }

  /** Maps in maps: no text is put together for each row. */
  partitionOf(q: Quote): QuotePartition {
    const series = this.#providers.get(q.provider)?.assets.get(q.asset)?.get(q.currency) ?? this.#newSeries(q)
    const month = monthOf(q.observedAt)
    const there = series.months.get(month)
    if (there) return there
    const made = { series, month, monthBytes: intBytes(month), isNamed: false }
    series.months.set(month, made)
    return made
  }

  #newSeries({ provider, asset, currency }: Quote): QuoteSeries {
    const of = this.#providers.get(provider) ?? {
      ...{ provider: Buffer.from(provider), assets: new Map(), isNamed: false },
    }
    this.#providers.set(provider, of)
    const currencies = of.assets.get(asset) ?? new Map<string, QuoteSeries>()
    of.assets.set(asset, currencies)
    const made: QuoteSeries = {
      ...{ provider: of.provider, asset: Buffer.from(asset), currency: Buffer.from(currency) },
      ...{ of, months: new Map(), latestAt: -1 },
    }
    currencies.set(currency, made)
    return made
  }
}

/** The quotes of a batch that lie in one partition, each moment once: two mutations for one result would be one too many. */
export class PartitionRows {
  readonly rows: Quote[] = []
  /** The newest moment that a live one claims; -1 = none. Also of one that was replaced: it says that there was a price then. */
  liveAt = -1
  #newestAt = -1
  /** Made for the first row that is not the newest: mostly they come in order. */
  #byMoment: Map<number, number> | undefined

  add(q: Quote): void {
    if (q.observedAt > this.liveAt && saysNow(q)) this.liveAt = q.observedAt
    if (q.observedAt > this.#newestAt) {
      this.#newestAt = q.observedAt
      this.#append(q)
      return
    }
    this.#byMoment ??= new Map(this.rows.map((row, i) => [row.observedAt, i]))
    const i = this.#byMoment.get(q.observedAt)
    const before = i === undefined ? undefined : this.rows[i]
    if (i === undefined || !before) this.#append(q)
    else if (quoteVersion(q) > quoteVersion(before)) this.rows[i] = q
  }

  #append(q: Quote): void {
    this.#byMoment?.set(q.observedAt, this.rows.length)
    this.rows.push(q)
  }
}
