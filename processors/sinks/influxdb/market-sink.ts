import type { EpochMicros } from '../../../core/brands.ts'
import type { BatchSource, MarketSink, StoreResult } from '../../../core/ports/sink.ts'
import type { MarketRecord } from '../../../core/records.ts'
import type { Series } from './answers.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, name, tagsAre, where } from './influxql.ts'
import { marketPoints, marketShape } from './market-line.ts'
import { PointWriter } from './point-writer.ts'
import { keyOf } from './stored.ts'
import type { Measurement } from './stored.ts'

/** The records beside quotes, over the connection of the quotes. */
export class InfluxMarketSink implements MarketSink {
  readonly name = 'influxdb'
  readonly #connection: InfluxConnection
  readonly #writer: PointWriter<MarketRecord>
  constructor(connection: InfluxConnection) {
    this.#connection = connection
    this.#writer = new PointWriter(connection, marketShape)
  }

  /** @throws as the sink of quotes does */
  async write(records: readonly MarketRecord[], source: BatchSource): Promise<StoreResult> {
    return await this.#writer.write(records, source)
  }

  /** As `InfluxSink.repair`. */
  async repair(records: readonly MarketRecord[]): Promise<void> {
    await this.#writer.overwrite(records)
  }

  async prune(kinds: readonly MarketRecord['kind'][], before: EpochMicros): Promise<number> {
    let removed = 0
    for (const kind of kinds) removed += await this.#pruneKind(marketPoints[kind], before)
    return removed
  }

  /** The connection is its owner's to close. */
  async close(): Promise<void> {
    await Promise.resolve()
  }

  async #pruneKind(m: Measurement, before: EpochMicros): Promise<number> {
    const groups = ` GROUP BY ${m.tags.map(name).join(', ')}`
    const table = from(this.#connection, m.name)
    const [old = [], newest = []] = await ask(this.#connection, [
      `SELECT count("${m.text}") FROM ${table}${where(`time<${before}u`)}${groups}`,
      `SELECT last("live") FROM ${table}${groups}`,
    ])
    const kept = new Map(newest.map(series => [keyOf(m, series.tags), timeOf(series)]))
    const statements: string[] = []
    let removed = 0
    for (const series of old) {
      const keep = kept.get(keyOf(m, series.tags))
      const count =
        Number(cell(series, series.values[0] ?? [], 'count')) - (keep !== undefined && keep < before ? 1 : 0)
      if (count <= 0) continue
      removed += count
      statements.push(...removals(m, series, before, keep))
    }
    await ask(this.#connection, statements)
    return removed
  }
}

const timeOf = (series: Series): number => Number(series.values[0]?.[0] ?? 0)

/** All before, but for the one that is kept. The server takes no retention policy here: it removes from all of them. */
function removals(
  m: Measurement,
  series: Series,
  before: number,
  keep: number | undefined,
): readonly string[] {
  const remove = (...times: readonly string[]): string =>
    `DELETE FROM ${name(m.name)}${where(...tagsAre(Object.fromEntries(m.tags.map(tag => [tag, series.tags[tag] ?? '']))), ...times)}`
  if (keep === undefined || keep >= before) return [remove(`time<${before}u`)]
  return [remove(`time<${keep}u`), remove(`time>${keep}u`, `time<${before}u`)]
}
