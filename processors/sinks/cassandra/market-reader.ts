import type { EpochMicros } from '../../../core/brands.ts'
import type {
  KeyReader,
  MarketFilter,
  MarketKind,
  MarketQuery,
  MarketRange,
  MarketReader,
  MarketRecordOf,
} from '../../../core/ports/reader.ts'
import type { MarketRecord, SourceFlag } from '../../../core/records.ts'
import { inParallel } from './in-parallel.ts'
import { marketTables, placeOfId, recordIn, shardOf, shards } from './market-rows.ts'
import type { MarketPlace } from './market-rows.ts'
import { merge } from './merge.ts'
import { dayOf } from './months.ts'
import type { Row, Session } from './session.ts'

type Order = 'newest' | 'oldest'

interface Found {
  readonly at: number
  readonly id: string
  readonly record: MarketRecord
}

/** Ids asked for at once. */
const pageIds = 1_000

/** Reads the records beside quotes by their partitions: the days there are, and the shard of an asset or all of them. */
export class CassandraMarketReader implements MarketReader, Pick<KeyReader, 'recordsOf'> {
  readonly #session: Session
  constructor(session: Session) {
    this.#session = session
  }

  async records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]> {
    const found: MarketRecordOf<K>[] = []
    if (query.limit < 1) return found
    for await (const record of this.#ordered(query, query.first ?? 'newest')) {
      found.push(record)
      if (found.length >= query.limit) break
    }
    return found
  }

  allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>> {
    return this.#ordered(range, 'oldest')
  }

  async latestRecords<K extends MarketKind>(
    kind: K,
    filter: MarketFilter = {},
  ): Promise<readonly MarketRecordOf<K>[]> {
    const query = `SELECT id FROM ${this.#session.keyspace}.market_latest WHERE kind=?`
    const rows = await Array.fromAsync(this.#session.pages(query, [kind]))
    const places = rows.flatMap(row => placeOfId(String(row['id'])) ?? [])
    const shard = wantedShard(kind, filter)
    const wanted = places.filter(place => shard === undefined || place.shard === shard)
    const records = await this.#at(wanted)
    return records.filter(record => matches(record, filter)) as MarketRecordOf<K>[]
  }

  async flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]> {
    return await Array.fromAsync(this.allRecords({ ...range, kind: 'source-flag' }))
  }

  async *recordsOf(ids: Iterable<string>): AsyncIterable<MarketRecord> {
    let page: MarketPlace[] = []
    for (const id of ids) {
      const place = placeOfId(id)
      if (place) page.push(place)
      if (page.length < pageIds) continue
      yield* await this.#at(page)
      page = []
    }
    yield* await this.#at(page)
  }

  async #at(places: readonly MarketPlace[]): Promise<readonly MarketRecord[]> {
    const found = await inParallel(places, ({ kind, shard, day, at, id }) =>
      this.#session.run({
        query: `SELECT body FROM ${this.#session.keyspace}.${marketTables[kind]} WHERE shard=? AND day=? AND at=? AND id=?`,
        params: [shard, day, at, id],
      }),
    )
    return found.flat().map(recordIn)
  }

  async *#ordered<K extends MarketKind>(
    range: MarketRange<K>,
    order: Order,
  ): AsyncIterable<MarketRecordOf<K>> {
    const days = await this.#days(range)
    for (const day of order === 'oldest' ? days : days.toReversed())
      for await (const { record } of this.#ofDay(range, day, order))
        if (matches(record, range)) yield record as MarketRecordOf<K>
  }

  async #days({ kind, from, to }: MarketRange<MarketKind>): Promise<readonly number[]> {
    if (to <= from) return []
    const rows = await this.#session.run({
      query: `SELECT day FROM ${this.#session.keyspace}.market_days WHERE kind=? AND day>=? AND day<=?`,
      params: [kind, dayOf(from), dayOf((to - 1) as EpochMicros)],
    })
    return rows.map(row => Number(row['day']))
  }

  #ofDay(range: MarketRange<MarketKind>, day: number, order: Order): AsyncIterable<Found> {
    const only = wantedShard(range.kind, range)
    const wanted = only === undefined ? Array.from({ length: shards }, (_, i) => i) : [only]
    const direction = order === 'oldest' ? 'ASC' : 'DESC'
    const query = `SELECT at, id, body FROM ${this.#session.keyspace}.${marketTables[range.kind]}
      WHERE shard=? AND day=? AND at>=? AND at<? ORDER BY at ${direction}, id ${direction}`
    const sources = wanted.map(shard =>
      foundIn(this.#session.pages(query, [shard, day, range.from, range.to])),
    )
    const sign = order === 'oldest' ? 1 : -1
    return merge(sources, (a, b) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1)) < 0)
  }
}

async function* foundIn(rows: AsyncIterable<Row>): AsyncIterable<Found> {
  for await (const row of rows) yield { at: Number(row['at']), id: String(row['id']), record: recordIn(row) }
}

/** Only a metric lies elsewhere than its asset says: it has none. */
const wantedShard = (kind: MarketKind, { asset }: MarketFilter): number | undefined =>
  asset === undefined || kind === 'metric' ? undefined : shardOf(asset)

/** A record without such a field does not match. */
const matches = (record: MarketRecord, filter: MarketFilter): boolean =>
  (['provider', 'asset', 'currency'] as const).every(
    name =>
      filter[name] === undefined || (record as unknown as Record<string, unknown>)[name] === filter[name],
  )
