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
import type { SqlDb, SqlRow, SqlValue, Statement } from '../../../host/sqlite.ts'
import { unlessBusy } from './busy.ts'
import { recordOf } from './market-rows.ts'

const pageRows = 1_000

/** Part of a statement, with the values of its parameters. */
interface Where {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** Only what is asked for stands in the statement, so that an index serves it. */
function whereOf(filter: MarketFilter): Where {
  const set = (['provider', 'asset', 'currency'] as const).flatMap(name => {
    const value = filter[name]
    return value === undefined ? [] : [{ name, value }]
  })
  return {
    sql: set.map(({ name }) => ` AND market_record.${name}=?`).join(''),
    values: set.map(({ value }) => value),
  }
}

/** The same in arrays of at most so many. */
export function* pagesOf<T>(all: Iterable<T>, most: number): Iterable<readonly T[]> {
  let page: T[] = []
  for (const one of all) {
    page.push(one)
    if (page.length < most) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** Reads the records beside quotes; each statement is one page of an index. */
export class SqliteMarketReader implements MarketReader, Pick<KeyReader, 'recordsOf'> {
  readonly #marketDb: SqlDb
  readonly #statements = new Map<string, Statement>()
  constructor(db: SqlDb) {
    this.#marketDb = db
  }

  async records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]> {
    const where = whereOf(query)
    const order = query.first === 'oldest' ? 'at, id' : 'at DESC, id DESC'
    const rows = await this.#all(
      `SELECT body FROM market_record WHERE kind=? AND at>=? AND at<?${where.sql} ORDER BY ${order} LIMIT ?`,
      [query.kind, query.from, query.to, ...where.values, query.limit],
    )
    return rows.map(row => recordOf(row) as MarketRecordOf<K>)
  }

  async *allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>> {
    const where = whereOf(range)
    const sql = `SELECT at, id, body FROM market_record WHERE kind=? AND (at, id)>(?, ?) AND at<?${where.sql} ORDER BY at, id LIMIT ?`
    let last: readonly [number, string] = [range.from, '']
    for (;;) {
      const page = await this.#all(sql, [range.kind, ...last, range.to, ...where.values, pageRows])
      for (const row of page) yield recordOf(row) as MarketRecordOf<K>
      const end = page.at(-1)
      if (!end || page.length < pageRows) return
      last = [Number(end['at']), String(end['id'])]
    }
  }

  async latestRecords<K extends MarketKind>(
    kind: K,
    filter: MarketFilter = {},
  ): Promise<readonly MarketRecordOf<K>[]> {
    const where = whereOf(filter)
    const rows = await this.#all(
      `SELECT body FROM market_latest CROSS JOIN market_record ON market_record.id=market_latest.id
       WHERE market_latest.kind=?${where.sql} ORDER BY series`,
      [kind, ...where.values],
    )
    return rows.map(row => recordOf(row) as MarketRecordOf<K>)
  }

  async flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]> {
    return await Array.fromAsync(this.allRecords({ ...range, kind: 'source-flag' }))
  }

  async *recordsOf(ids: Iterable<string>): AsyncIterable<MarketRecord> {
    const sql = `SELECT body FROM json_each(?) AS wanted CROSS JOIN market_record ON market_record.id=wanted.value`
    for (const page of pagesOf(ids, pageRows))
      for (const row of await this.#all(sql, [JSON.stringify(page)])) yield recordOf(row)
  }

  #all(sql: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#marketDb.prepare(sql)
      this.#statements.set(sql, statement)
    }
    const prepared = statement
    return unlessBusy(() => prepared.all(...values))
  }
}
