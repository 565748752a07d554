import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import { addMs } from '../../core/time.ts'
import { DAY, MINUTE } from '../../core/time.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { Ledger, OutboxEntry } from '../../core/ports/ledger.ts'
import type { QuoteReader } from '../../core/ports/reader.ts'
import { type Quote, quoteId } from '../../core/records.ts'
import { compare, type Difference, totals } from './compare.ts'
import { Side } from './side.ts'

export interface AuditPorts {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly reader: QuoteReader
  readonly codec: Codec<Quote>
  /** Name of the topic that carries the quotes. */
  readonly topic: string
  /** Consumer group of the store. */
  readonly group: string
  /** Maps a raw answer with its provider's own mapping. @throws for an answer that went to the dead letters */
  readonly map: (entry: OutboxEntry) => readonly Quote[]
}

export interface AuditReport {
  readonly answers: number
  /** Answers that no mapping understands: they are in the dead letters, not in the rows. */
  readonly unmapped: number
  readonly rows: Readonly<Record<'answers' | 'topic' | 'store', number>>
  readonly distinct: number
  /** Published, but not stored yet: not a defect while `up` or `process` runs. */
  readonly pending: number
  readonly groups: number
  readonly badGroups: readonly string[]
  readonly differences: readonly Difference[]
}

/**
 * Rows in = rows out: every accepted answer, mapped again, against the topic and the store, by id and version,
 * for answers received in [from, to).
 */
export async function audit(ports: AuditPorts, from: EpochMicros, to: EpochMicros): Promise<AuditReport> {
  const encode = (quote: Quote): Uint8Array => ports.codec.encode(quote)
  const inRange = (quote: Quote): boolean => quote.receivedAt >= from && quote.receivedAt < to
  const answers = new Side('answers', encode)
  const topic = new Side('topic', encode)
  const store = new Side('store', encode)
  const unpublished = new Set<string>()
  const counted = await readAnswers(ports, { from, to, answers, unpublished })
  const unstored = await readTopic(ports, topic, inRange)
  for await (const quote of ports.reader.rows({ from: addMs(from, -DAY), to: addMs(to, 10 * MINUTE) }))
    if (inRange(quote)) store.add(quote)
  const pending = new Set([...unpublished, ...unstored])
  const differences = [...compare(answers, topic, unpublished), ...compare(answers, store, pending)]
  const groups = totals(answers)
  return {
    ...counted,
    rows: { answers: answers.rows, topic: topic.rows, store: store.rows },
    distinct: answers.held.size,
    pending: pending.size,
    groups: groups.size,
    badGroups: [...new Set(differences.map(d => d.group))].sort((a, b) => a.localeCompare(b)),
    differences,
  }
}

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
  return first.differences.length === 0 ? first : await audit(ports, from, to)
}

interface AnswerSide {
  readonly from: EpochMicros
  readonly to: EpochMicros
  readonly answers: Side
  readonly unpublished: Set<string>
}

async function readAnswers(
  ports: AuditPorts,
  side: AnswerSide,
): Promise<{ answers: number; unmapped: number }> {
  let count = 0
  let unmapped = 0
  for await (const entry of ports.ledger.outbox.between(side.from, side.to)) {
    count += 1
    try {
      for (const quote of ports.map(entry)) {
        side.answers.add(quote)
        if (entry.publishedAt === null) side.unpublished.add(quoteId(quote))
      }
    } catch (error) {
      if (toCryptosError(error).code !== 'CRY_PROVIDER_PAYLOAD') throw error
      unmapped += 1
    }
  }
  return { answers: count, unmapped }
}

/** Fills the topic's side and returns the ids that the store's group has not committed yet. */
async function readTopic(
  ports: AuditPorts,
  side: Side,
  inRange: (quote: Quote) => boolean,
): Promise<Set<string>> {
  const committed = new Map(
    (await ports.broker.committed(ports.group))
      .filter(c => c.topic === ports.topic)
      .map(c => [c.partition, c.offset]),
  )
  const unstored = new Set<string>()
  for await (const message of ports.broker.read(ports.topic, { offset: 0 })) {
    if (message.value === null) continue
    let quote: Quote
    try {
      quote = ports.codec.decode(message.value)
    } catch (error) {
      if (toCryptosError(error).code !== 'CRY_RECORD_INVALID') throw error
      continue
    }
    if (!inRange(quote)) continue
    side.add(quote)
    if (message.offset >= (committed.get(message.partition) ?? 0)) unstored.add(quoteId(quote))
  }
  return unstored
}
