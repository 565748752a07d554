import type { EpochMicros } from '../../core/brands.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { AuditPorts, DerivedRecords } from './audit.ts'
import type { Difference } from './compare.ts'
import { groupAt } from './groups.ts'
import type { MarketSide, QuoteSide } from './side.ts'

/** Received in [from, to). */
export interface Range {
  readonly from: EpochMicros
  readonly to: EpochMicros
}

/** One place: its prices, and the records beside them. */
export interface Place {
  readonly quotes: QuoteSide
  readonly market: MarketSide
}

export interface Answers {
  count: number
  unmapped: number
  /** Ids of records that are not published yet. */
  readonly unpublished: Set<string>
  /** What can be made again of the answers, by their ids. */
  readonly ids: Set<string>
  /** Answers that have a dead letter although they can be mapped (now): in the topic all of their records or none. */
  readonly buried: { readonly answerId: string; readonly records: DerivedRecords }[]
  readonly differences: Difference[]
}

/** Maps every answer again. What can not be mapped must lie in the dead letters, and all that it was asked for is a gap. */
export async function readAnswers(
  ports: AuditPorts,
  range: Range,
  letters: ReadonlySet<string>,
  place: Place,
): Promise<Answers> {
  const found: Answers = {
    ...{ count: 0, unmapped: 0, unpublished: new Set(), ids: new Set(), buried: [], differences: [] },
  }
  for await (const entry of ports.ledger.outbox.between(range.from, range.to)) {
    found.count += 1
    const records = ports.derive(entry)
    const { answerId, publishedAt } = entry
    const hasLetter = letters.has(ports.letterIdOf(answerId))
    if (records.error !== undefined) {
      found.unmapped += 1
      if (!hasLetter && mustHaveLetter(ports, entry, range.to)) found.differences.push(withoutLetter(entry))
    } else if (hasLetter && publishedAt !== null) {
      found.buried.push({ answerId, records })
      continue
    }
    found.ids.add(answerId)
    const ids = addTo(place, records)
    if (publishedAt === null) for (const id of ids) found.unpublished.add(id)
  }
  return found
}

/** Returns their ids. */
function addTo({ quotes, market }: Place, records: DerivedRecords): readonly string[] {
  return [...records.quotes.map(q => quotes.add(q)), ...records.market.map(r => market.add(r))]
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

/** Ids of the dead letters, without those that were replayed. */
export async function readLetterIds({ broker, deadLetters }: AuditPorts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const { key, value } of broker.read(deadLetters.name, { offset: 0 }))
    if (value === null) ids.delete(key)
    else ids.add(key)
  return ids
}

/**
 * What was published after all belongs into the topic whole; else the letter has it. Why such an answer was refused is known to
 * nobody any more, so its gaps are not made again.
 */
export function settleBuried({ buried, ids }: Answers, answers: Place, topic: QuoteSide): number {
  let unmapped = 0
  for (const { answerId, records } of buried)
    if (records.quotes.some(quote => topic.holds(quote))) {
      ids.add(answerId)
      addTo(answers, records)
    } else unmapped += 1
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
