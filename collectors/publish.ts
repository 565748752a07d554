import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Broker, TopicMessage } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Codec } from '../core/ports/codec.ts'
import type { Ledger, OutboxEntry } from '../core/ports/ledger.ts'
import type { Quote } from '../core/records.ts'
import { announce } from '../core/steps.ts'
import { SECOND } from '../core/time.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { type TopicTable, topicTable } from '../topics/table.ts'
import type { Log } from './log.ts'
import type { Provider } from './provider.ts'
import { deadMessages, deriveEntry, derivedMessages, letterOf } from './publish-messages.ts'

export interface PublishPorts {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly clock: Clock
  readonly providers: readonly Provider[]
  /** Name of this publisher in the lease: one a process. */
  readonly holder: string
  readonly topics?: TopicTable
  readonly codec?: Codec<Quote>
  readonly log?: Log
  /** Stops between two answers. */
  readonly signal?: AbortSignal
}

export interface PublishResult {
  /** false = another publisher has the lease and does the work. */
  readonly held: boolean
  readonly answers: number
  /** Prices and figures; gaps are not counted. */
  readonly records: number
  readonly deadLetters: number
}

/** How long others wait for a publisher that says nothing more. */
export const leaseMs = 30 * SECOND
const pageSize = 20

/**
 * Brings every answer that waits in the outbox to the topics, oldest first, one publisher at a time. An answer is marked only when
 * the broker has all of its records, so a crash in between publishes it once more, with the same ids. An answer that no mapping
 * understands goes to the dead letters with its bytes, and the rest goes on. What was asked for and did not come is published as gaps.
 * @throws what the broker or the ledger throws: what is not marked waits
 */
export async function publishPending(ports: PublishPorts): Promise<PublishResult> {
  const total = { held: false, answers: 0, records: 0, deadLetters: 0 }
  try {
    await drain(ports, total)
  } finally {
    // Another process must not wait for the lease of one that has nothing left to do.
    if (total.held) await ports.ledger.outbox.releaseLease(ports.holder)
  }
  return total
}

type Total = { -readonly [K in keyof PublishResult]: PublishResult[K] }

async function drain(ports: PublishPorts, total: Total): Promise<void> {
  while (await holdsLease(ports)) {
    total.held = true
    const entries = await ports.ledger.outbox.pending(pageSize)
    if (entries.length === 0 || ports.signal?.aborted) return
    const done = await publishTogether(ports, entries)
    total.answers += entries.length
    total.records += done.records
    total.deadLetters += done.deadLetters
    if (entries.length < pageSize) return
  }
}

const holdsLease = ({ ledger, holder, clock }: PublishPorts): Promise<boolean> =>
  ledger.outbox.acquireLease(holder, clock.now(), leaseMs)

/** All entries in one produce and one mark: two commits, however many answers wait. */
async function publishTogether(ports: PublishPorts, entries: readonly OutboxEntry[]): Promise<Counts> {
  const topics = ports.topics ?? topicTable()
  const mapped = entries.map(entry => messagesOf(ports, entry, topics))
  try {
    await ports.broker.produce(mapped.flatMap(m => m.messages))
  } catch (error) {
    if (toCryptosError(error).code !== 'CRY_RECORD_INVALID') throw error
    return publishApart(ports, entries, topics)
  }
  await mark(ports, entries)
  return sum(mapped)
}

/** One by one, because one of them has a message that the broker refuses: that answer goes to the dead letters. */
async function publishApart(
  ports: PublishPorts,
  entries: readonly OutboxEntry[],
  topics: TopicTable,
): Promise<Counts> {
  const done: Counts[] = []
  for (const entry of entries) {
    let messages = messagesOf(ports, entry, topics)
    try {
      await ports.broker.produce(messages.messages)
    } catch (error) {
      const refused = toCryptosError(error)
      if (refused.code !== 'CRY_RECORD_INVALID') throw error
      messages = await bury(ports, entry, refused, topics)
    }
    await mark(ports, [entry])
    done.push(messages)
  }
  return sum(done)
}

/** A letter that is too large as well goes without its bytes: no single answer may keep all others waiting. */
async function bury(
  ports: PublishPorts,
  entry: OutboxEntry,
  refused: CryptosError,
  topics: TopicTable,
): Promise<Messages> {
  const whole = dead(ports, { entry, asked: entry }, refused, topics)
  try {
    await ports.broker.produce(whole.messages)
    return whole
  } catch (error) {
    if (toCryptosError(error).code !== 'CRY_RECORD_INVALID') throw error
    const why = `${entry.body.byteLength} bytes are too many for a letter, they are only in the outbox; ${refused.message}`
    const short = dead(
      ports,
      { entry: { ...entry, body: new Uint8Array() }, asked: entry },
      new CryptosError(refused.code, why, { cause: error }),
      topics,
    )
    await ports.broker.produce(short.messages)
    return short
  }
}

async function mark({ ledger, clock }: PublishPorts, entries: readonly OutboxEntry[]): Promise<void> {
  for (const entry of entries) announce('published', entry.answerId)
  await ledger.outbox.markPublished(
    entries.map(entry => entry.answerId),
    clock.now(),
  )
}

type Counts = Pick<PublishResult, 'records' | 'deadLetters'>

const sum = (parts: readonly Counts[]): Counts => ({
  records: parts.reduce((total, part) => total + part.records, 0),
  deadLetters: parts.reduce((total, part) => total + part.deadLetters, 0),
})

interface Messages extends Counts {
  readonly messages: readonly TopicMessage[]
}

function messagesOf(ports: PublishPorts, entry: OutboxEntry, topics: TopicTable): Messages {
  const derived = deriveEntry(ports.providers, entry)
  if (derived.error) return dead(ports, { entry, asked: entry }, derived.error, topics)
  const gaps = derived.market.filter(r => r.kind === 'gap' && r.state === 'missing').length
  if (gaps > 0)
    ports.log?.info({ answerId: entry.answerId, missing: gaps }, 'assets without a price in an answer')
  const metrics = derived.market.filter(r => r.kind === 'metric').length
  const messages = derivedMessages(derived, topics, ports.codec ?? quoteJson)
  return { messages, records: derived.quotes.length + metrics, deadLetters: 0 }
}

interface Dead {
  /** What the letter shows. */
  readonly entry: OutboxEntry
  /** What was asked for, and what came, whole. */
  readonly asked: OutboxEntry
}

/** The gaps say why the answer could not be read, whatever else kept it from its topic: so they can be made again at any time. */
function dead(
  ports: PublishPorts,
  { entry, asked }: Dead,
  error: CryptosError,
  topics: TopicTable,
): Messages {
  const letter = letterOf(entry, error)
  const why = deriveEntry(ports.providers, asked).error ?? error
  ports.log?.warn({ answerId: entry.answerId, code: letter.code }, `to the dead letters: ${letter.reason}`)
  return { messages: deadMessages(asked, letter, why, topics), records: 0, deadLetters: 1 }
}
