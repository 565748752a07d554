import type { EpochMicros } from '../../core/brands.ts'
import type { Broker, TopicSpec } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { Ledger, OutboxEntry } from '../../core/ports/ledger.ts'
import type { QuoteReader } from '../../core/ports/reader.ts'
import type { Quote } from '../../core/records.ts'
import { compare, type Difference, totals } from './compare.ts'
import { readAnswers, readLetterIds, readVanished, settleBuried } from './read-answers.ts'
import { readStore, readTopic } from './read-rows.ts'
import { Side } from './side.ts'
import { Views } from './views.ts'

export interface AuditPorts {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly reader: QuoteReader
  readonly codec: Codec<Quote>
  /** Name of the topic that carries the quotes. */
  readonly topic: string
  readonly deadLetters: Pick<TopicSpec, 'name' | 'retentionMs'>
  /** Consumer group of the store. */
  readonly group: string
  /** Maps a raw answer with its provider's own mapping. @throws for an answer that went to the dead letters */
  readonly map: (entry: OutboxEntry) => readonly Quote[]
  /** Id of the dead letter of an answer. */
  readonly letterIdOf: (answerId: string) => string
}

export interface AuditReport {
  readonly answers: number
  /** Answers that could not be published: they are in the dead letters, not in the rows. */
  readonly unmapped: number
  readonly rows: Readonly<Record<'answers' | 'topic' | 'store', number>>
  readonly distinct: number
  /** Published, but not stored yet: not a defect while `up` or `process` runs. */
  readonly pending: number
  /** Records that the store's group put into the dead letters. */
  readonly refused: number
  /** Minutes and hours that were made anew from the store's rows. */
  readonly bars: number
  readonly groups: number
  readonly badGroups: readonly string[]
  readonly differences: readonly Difference[]
}

/**
 * Rows in = rows out: every accepted answer, mapped again, against the topic and the store, by id and version, for answers received
 * in [from, to), where `to` is at most now; and the bars and latest prices against the store's rows.
 */
export async function audit(ports: AuditPorts, from: EpochMicros, to: EpochMicros): Promise<AuditReport> {
  const range = { from, to }
  const encode = (quote: Quote): Uint8Array => ports.codec.encode(quote)
  const answers = new Side('answers', encode)
  const topic = new Side('topic', encode)
  const store = new Side('store', encode)
  const views = new Views()
  const vanished = await readVanished(ports, range)
  const letters = await readLetterIds(ports)
  const read = await readAnswers(ports, range, letters, answers)
  const { waiting, refused } = await readTopic(ports, range, letters, topic)
  const buried = settleBuried(read, answers, topic)
  const wanted = [...answers.held.keys(), ...topic.held.keys()]
  const { later, span } = await readStore(ports, range, wanted, { side: store, views })
  const seen = await views.compare(ports.reader, span.from, to)
  const pending = new Set([...read.unpublished, ...waiting])
  const differences = [
    ...vanished,
    ...read.differences,
    ...compare(answers, topic, read.unpublished),
    ...compare(answers, store, new Set([...pending, ...refused]), later),
    ...seen.differences,
  ]
  return {
    answers: read.count,
    unmapped: read.unmapped + buried,
    rows: { answers: answers.rows, topic: topic.rows, store: store.rows },
    distinct: answers.held.size,
    pending: pending.size,
    refused: refused.size,
    bars: seen.bars,
    groups: totals(answers).size,
    ...told(differences),
  }
}

const told = (differences: readonly Difference[]): Pick<AuditReport, 'badGroups' | 'differences'> => ({
  badGroups: [...new Set(differences.map(d => d.group))].sort((a, b) => a.localeCompare(b)),
  differences,
})

/**
 * The same while others write: an answer that was received before `to` may be settled right after the outbox was read, and be in
 * the topic and the store when those are read. A difference counts only when it is still there at a second look.
 */
export async function auditWhileWriting(
  ports: AuditPorts,
  from: EpochMicros,
  to: EpochMicros,
): Promise<AuditReport> {
  const first = await audit(ports, from, to)
  if (first.differences.length === 0) return first
  const nameOf = (d: Difference): string => `${d.kind} ${d.in} ${d.id}`
  const before = new Set(first.differences.map(nameOf))
  const second = await audit(ports, from, to)
  return { ...second, ...told(second.differences.filter(d => before.has(nameOf(d)))) }
}
