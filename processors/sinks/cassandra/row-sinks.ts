import type { BatchSource, RecordSink, StoreResult } from '../../../core/ports/sink.ts'
import type { QuotaEvent } from '../../../core/records.ts'
import { barId, barVersion, tradeId, tradeVersion } from '../../../core/stream-records.ts'
import type { Bar, Trade } from '../../../core/stream-records.ts'
import { quotaEventJson } from '../../../topics/codecs/quota-event-json.ts'
import { hourOf, monthOf } from './months.ts'
import { bigintBytes, bytesOf } from './numbers.ts'
import type { Statement } from './session.ts'
import { Partitions } from './writer.ts'
import type { Writer } from './writer.ts'

/** How records of one kind become rows of one table. */
interface RowShape<R> {
  id(record: R): string
  version(record: R): number
  partition(record: R): string
  insert(record: R): Statement
}

/** Stores records that nothing is worked out from at once: rows and no more. */
class RowSink<R> implements RecordSink<R> {
  readonly name = 'cassandra'
  readonly #writer: Writer
  readonly #shape: RowShape<R>
  constructor(writer: Writer, shape: RowShape<R>) {
    this.#writer = writer
    this.#shape = shape
  }

  async write(records: readonly R[], _source: BatchSource): Promise<StoreResult> {
    const best = new Map<string, R>()
    for (const record of records) {
      const id = this.#shape.id(record)
      const before = best.get(id)
      if (!before || this.#shape.version(record) > this.#shape.version(before)) best.set(id, record)
    }
    const partitions = new Partitions()
    for (const record of best.values())
      partitions.add(this.#shape.partition(record), this.#shape.insert(record))
    await this.#writer.writeAll(partitions.batches())
    return { written: best.size, superseded: records.length - best.size }
  }

  /** The connection is its owner's to close. */
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

const utf8 = new TextDecoder()
const eventsOfBucket = 10_000
const bucketOf = ({ sequence }: QuotaEvent): number => Math.floor(sequence / eventsOfBucket)

/** Quota events in the order of their ledger. An event never changes. */
export const quotaEventSink = (keyspace: string, writer: Writer): RecordSink<QuotaEvent> =>
  new RowSink<QuotaEvent>(writer, {
    id: e => `${e.ledger} ${e.sequence}`,
    version: e => e.at,
    partition: e => `${e.ledger} ${bucketOf(e)}`,
    insert: e => ({
      query: `INSERT INTO ${keyspace}.quota_events (ledger, bucket, sequence, at, provider, what, body)
        VALUES (?,?,?,?,?,?,?) USING TIMESTAMP ?`,
      params: [
        ...[e.ledger, bucketOf(e), e.sequence, e.at, e.provider, e.what],
        ...[utf8.decode(quotaEventJson.encode(e)), e.at],
      ],
    }),
  })

/**
 * Trades by venue, product and hour. `detail` has the whole record: of two with one version, which have one write time, the server
 * takes the larger value of each column by itself.
 */
export function tradeSink(keyspace: string, writer: Writer): RecordSink<Trade> {
  const query = `INSERT INTO ${keyspace}.trades (venue, product, hour, traded_at, trade_id, price, size, price_double, size_double,
    received_at, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?`
  const detailOf = (t: Trade): string =>
    [t.price, t.size, t.takerSide ?? '', t.receivedAt, t.origin].join('\t')
  return new RowSink<Trade>(writer, {
    id: tradeId,
    version: tradeVersion,
    partition: t => `${t.venue} ${hourOf(t.tradedAt)} ${t.product}`,
    insert: t => ({
      query,
      params: [
        ...[t.venue, t.product, hourOf(t.tradedAt), bigintBytes(t.tradedAt), t.tradeId],
        ...[bytesOf(t.price), bytesOf(t.size), Number(t.price), Number(t.size)],
        ...[bigintBytes(t.receivedAt), detailOf(t), bigintBytes(tradeVersion(t))],
      ],
    }),
  })
}

const barNumbers = ['open', 'high', 'low', 'close', 'average', 'volume', 'vwap'] as const

/** Bars by venue, product, interval and month. `detail` as of trades. */
export function barSink(keyspace: string, writer: Writer): RecordSink<Bar> {
  const query = `INSERT INTO ${keyspace}.bars (venue, product, interval, month, window_start, count, ${barNumbers.join(', ')},
    close_double, average_double, volume_double, complete, received_at, detail)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?`
  const detailOf = (b: Bar): string =>
    [...barNumbers.map(name => b[name]), b.count, b.complete, b.receivedAt, b.revision, b.origin].join('\t')
  return new RowSink<Bar>(writer, {
    id: barId,
    version: barVersion,
    partition: b => `${b.venue} ${b.interval} ${monthOf(b.windowStart)} ${b.product}`,
    insert: b => ({
      query,
      params: [
        ...[b.venue, b.product, b.interval, monthOf(b.windowStart), bigintBytes(b.windowStart), b.count],
        ...barNumbers.map(name => bytesOf(b[name])),
        ...[Number(b.close), Number(b.average), Number(b.volume), b.complete],
        ...[bigintBytes(b.receivedAt), detailOf(b), bigintBytes(barVersion(b))],
      ],
    }),
  })
}
