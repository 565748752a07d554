import type { EpochMicros } from '../../core/brands.ts'
import type { Codec } from '../../core/ports/codec.ts'
import {
  type MarketRecord,
  marketRecordId,
  marketRecordVersion,
  type Quote,
  quoteId,
  quoteVersion,
} from '../../core/records.ts'
import type { AuditPorts } from './audit.ts'
import { rowsOf } from './read-rows.ts'
import { decoded } from './read-topic.ts'
import type { AuditReport } from './report.ts'
import type { AuditStore, Repairer } from './store.ts'

/** What was written again into one store. */
export interface Repaired {
  readonly store: string
  /** Rows, figures and other records. */
  readonly written: number
  /** Rows that differ and were left: extra ones, changed ones of the right version, bars, and what no topic and no answer has. */
  readonly left: number
}

const batchRows = 500

/**
 * Writes again what stores lack or hold in an older version than topic or answers, each record in its newest version. Deletes
 * nothing, and leaves what differs in a version that is not older: nobody knows there which is right.
 * @throws what the stores throw: what was written stays written
 */
export async function repair(ports: AuditPorts, report: AuditReport, to: EpochMicros): Promise<Repaired[]> {
  const done: Repaired[] = []
  for (const store of ports.stores) {
    const mine = report.differences.filter(d => d.store === store.name)
    if (mine.length === 0 || !store.openRepairer) continue
    const wanted = new Set(mine.filter(d => d.in === 'store' && d.kind !== 'extra').map(d => d.id))
    const written = wanted.size === 0 ? 0 : await writeWinners(ports, store, wanted, to)
    done.push({ store: store.name, written, left: mine.length - written })
  }
  return done
}

async function writeWinners(
  ports: AuditPorts,
  store: AuditStore,
  wanted: ReadonlySet<string>,
  to: EpochMicros,
): Promise<number> {
  const winners = await versionsOfWinners(ports, wanted, to)
  const older = await inOlderVersion(store, winners)
  const repairer = await store.openRepairer?.()
  if (!repairer) return 0
  const writer = new Writer(repairer, older)
  try {
    for await (const record of records(ports, to)) await writer.take(record)
    await writer.flush()
  } finally {
    await repairer.close()
  }
  return writer.written
}

/** Newest version of each wanted record that a topic or an answer has, by `keyOf`. */
async function versionsOfWinners(ports: AuditPorts, wanted: ReadonlySet<string>, to: EpochMicros) {
  const winners = new Map<string, number>()
  for await (const record of records(ports, to)) {
    if (!wanted.has(idOf(record))) continue
    const key = keyOf(record)
    winners.set(key, Math.max(winners.get(key) ?? 0, versionOf(record)))
  }
  return winners
}

/** Without those that the store holds in this version or a newer one. */
async function inOlderVersion(
  { reader }: AuditStore,
  winners: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const left = new Map(winners)
  const look = (record: Quote | MarketRecord): void => {
    const key = keyOf(record)
    if (versionOf(record) >= (winners.get(key) ?? Number.POSITIVE_INFINITY)) left.delete(key)
  }
  const idsOf = (prefix: string): string[] =>
    [...winners.keys()].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length))
  for await (const row of rowsOf(reader, idsOf(quoteKey))) look(row)
  for await (const record of reader.recordsOf(idsOf(marketKey))) look(record)
  return left
}

/** Everything of the topics, then of the answers, so that the first of one version is the one that counts. */
async function* records(ports: AuditPorts, to: EpochMicros): AsyncIterable<Quote | MarketRecord> {
  yield* ofTopic(ports, ports.quotes.topic, ports.codec)
  for (const { topic } of ports.market) yield* ofTopic(ports, topic, ports.marketCodec)
  for await (const entry of ports.ledger.outbox.between(0 as EpochMicros, to)) {
    if (entry.publishedAt === null) continue
    const { quotes, market } = ports.derive(entry)
    yield* quotes
    yield* market
  }
}

async function* ofTopic<R>({ broker }: AuditPorts, topic: string, codec: Codec<R>): AsyncIterable<R> {
  for await (const { value } of broker.read(topic, { offset: 0 })) {
    const record = value === null ? undefined : decoded(codec, value)
    if (record !== undefined) yield record
  }
}

/** Writes each wanted version once, in batches. */
class Writer {
  written = 0
  readonly #repairer: Repairer
  readonly #wanted: Map<string, number>
  readonly #quotes: Quote[] = []
  readonly #market: MarketRecord[] = []
  constructor(repairer: Repairer, wanted: Map<string, number>) {
    this.#repairer = repairer
    this.#wanted = wanted
  }

  async take(record: Quote | MarketRecord): Promise<void> {
    const key = keyOf(record)
    if (this.#wanted.get(key) !== versionOf(record)) return
    this.#wanted.delete(key)
    if (record.kind === 'quote') this.#quotes.push(record)
    else this.#market.push(record)
    if (this.#quotes.length + this.#market.length >= batchRows) await this.flush()
  }

  async flush(): Promise<void> {
    const [quotes, market] = [this.#quotes.splice(0), this.#market.splice(0)]
    if (quotes.length > 0) await this.#repairer.quotes(quotes)
    if (market.length > 0) await this.#repairer.market(market)
    this.written += quotes.length + market.length
  }
}

const idOf = (record: Quote | MarketRecord): string =>
  record.kind === 'quote' ? quoteId(record) : marketRecordId(record)
const versionOf = (record: Quote | MarketRecord): number =>
  record.kind === 'quote' ? quoteVersion(record) : marketRecordVersion(record)

const quoteKey = 'quote '
const marketKey = 'record '
/** A consensus and the row that shows it have one id. */
const keyOf = (record: Quote | MarketRecord): string =>
  `${record.kind === 'quote' ? quoteKey : marketKey}${idOf(record)}`
