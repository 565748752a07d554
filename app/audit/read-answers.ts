import type { EpochMicros } from '../../core/brands.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import { type Quote, quoteId } from '../../core/records.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { AuditPorts } from './audit.ts'
import type { Difference } from './compare.ts'
import { groupAt, type Side } from './side.ts'

/** Received in [from, to). */
export interface Range {
  readonly from: EpochMicros
  readonly to: EpochMicros
}

export interface Answers {
  count: number
  unmapped: number
  readonly unpublished: Set<string>
  /** Records of answers that have a dead letter although they can be mapped (now): in the topic all of them or none. */
  readonly buried: (readonly Quote[])[]
  readonly differences: Difference[]
}

/** Maps every answer again. What can not be mapped must lie in the dead letters. */
export async function readAnswers(
  ports: AuditPorts,
  range: Range,
  letters: ReadonlySet<string>,
  side: Side,
): Promise<Answers> {
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

/** Ids of the dead letters, without those that were replayed. */
export async function readLetterIds({ broker, deadLetters }: AuditPorts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const { key, value } of broker.read(deadLetters.name, { offset: 0 }))
    if (value === null) ids.delete(key)
    else ids.add(key)
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
