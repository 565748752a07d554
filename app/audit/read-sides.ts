import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import { type Quote, quoteId, quoteVersion } from '../../core/records.ts'
import { addMs, DAY, HOUR, MINUTE } from '../../core/time.ts'
import type { AuditPorts } from './audit.ts'
import type { Difference } from './compare.ts'
import { groupAt, type Side } from './side.ts'
import type { Views } from './views.ts'

/** Received in [from, to). */
export interface Range {
  readonly from: EpochMicros
  readonly to: EpochMicros
}

const isIn = ({ from, to }: Range, quote: Quote): boolean => quote.receivedAt >= from && quote.receivedAt < to

export interface Answers {
  count: number
  unmapped: number
  readonly unpublished: Set<string>
  /** Records of answers that have a dead letter although they can be mapped (now): in the topic all of them or none. */
  readonly buried: (readonly Quote[])[]
  readonly differences: Difference[]
}

/** Maps every answer again. What can not be mapped must lie in the dead letters. */
export async function readAnswers(ports: AuditPorts, range: Range, side: Side): Promise<Answers> {
  const letters = await readLetterIds(ports)
  const found: Answers = { count: 0, unmapped: 0, unpublished: new Set(), buried: [], differences: [] }
  for await (const entry of ports.ledger.outbox.between(range.from, range.to)) {
    found.count += 1
    const quotes = mapped(ports, entry)
    const hasLetter = letters.has(ports.letterIdOf(entry.answerId))
    if (quotes === undefined) {
      found.unmapped += 1
      if (!hasLetter && mustHaveLetter(ports, entry, range.to)) found.differences.push(withoutLetter(entry))
    } else if (hasLetter && entry.publishedAt !== null) found.buried.push(quotes)
    else
      for (const quote of quotes) {
        side.add(quote)
        if (entry.publishedAt === null) found.unpublished.add(quoteId(quote))
      }
  }
  return found
}

/** Whatever the publisher can not map goes to the dead letters, for whatever reason: so here too. */
function mapped(ports: AuditPorts, entry: OutboxEntry): readonly Quote[] | undefined {
  try {
    return ports.map(entry)
  } catch {
    return undefined
  }
}

/** Letters are kept for a time of their own; an hour of room, because they are removed while this looks. */
const mustHaveLetter = ({ deadLetters }: AuditPorts, entry: OutboxEntry, now: EpochMicros): boolean =>
  entry.publishedAt !== null && entry.receivedAt >= addMs(now, HOUR - deadLetters.retentionMs)

const withoutLetter = ({ answerId, provider, dataset, receivedAt }: OutboxEntry): Difference => ({
  kind: 'missing',
  in: 'dead letters',
  group: groupAt(provider, dataset, receivedAt),
  id: answerId,
})

async function readLetterIds({ broker, deadLetters }: AuditPorts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const message of broker.read(deadLetters.name, { offset: 0 })) ids.add(message.key)
  return ids
}

/** What was published after all belongs into the topic whole; else the letter has it. */
export function settleBuried({ buried }: Answers, answers: Side, topic: Side): number {
  let unmapped = 0
  for (const quotes of buried)
    if (quotes.some(quote => topic.holds(quote))) for (const quote of quotes) answers.add(quote)
    else unmapped += 1
  return unmapped
}

/** Answers that the ledger's slots name and its outbox does not have. */
export async function readVanished({ ledger }: AuditPorts, range: Range): Promise<Difference[]> {
  const vanished = await ledger.outbox.vanished(range.from, range.to)
  return vanished.map(({ answerId, at }) => {
    const [provider = '', dataset = ''] = answerId.split('/')
    return { kind: 'missing', in: 'outbox', group: groupAt(provider, dataset, at), id: answerId }
  })
}

/** Fills the topic's side and returns the ids that the store's group has not committed yet. */
export async function readTopic(ports: AuditPorts, range: Range, side: Side): Promise<Set<string>> {
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
    if (!isIn(range, quote)) continue
    side.add(quote)
    if (message.offset >= (committed.get(message.partition) ?? 0)) unstored.add(quoteId(quote))
  }
  return unstored
}

export interface Stored {
  /** Versions by id of rows that were received after the range: each may have replaced one that is looked for. */
  readonly later: Map<string, number>
  /** observedAt of the rows that were all read. */
  readonly span: Range
}

/**
 * Fills the store's side. Rows lie by the time of the source, so a day more is read, and each row of `wanted` (ids) that is older or
 * newer still by its key: a provider may send a price of last week.
 */
export async function readStore(
  ports: AuditPorts,
  range: Range,
  wanted: Iterable<string>,
  to: { readonly side: Side; readonly views: Views },
): Promise<Stored> {
  const span = { from: addMs(range.from, -DAY), to: addMs(range.to, 10 * MINUTE) }
  const later = new Map<string, number>()
  const take = (quote: Quote): void => {
    if (isIn(range, quote)) to.side.add(quote)
    else if (quote.receivedAt >= range.to) later.set(quoteId(quote), quoteVersion(quote))
  }
  for await (const quote of ports.reader.rows(span)) {
    to.views.add(quote)
    take(quote)
  }
  for (const id of new Set(wanted)) {
    const [provider, asset, , time] = id.split('|')
    const at = Number(time) as EpochMicros
    if (at >= span.from && at < span.to) continue
    const key = { provider: provider as ProviderId, asset: asset as AssetId }
    const rows = ports.reader.rows({ ...key, from: at, to: (at + 1) as EpochMicros })
    for await (const quote of rows) if (quoteId(quote) === id) take(quote)
  }
  return { later, span }
}
