import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import { type Quote, quoteId, quoteVersion } from '../../core/records.ts'
import { addMs, DAY, MINUTE } from '../../core/time.ts'
import { letterIdAt } from '../../processors/dead-letters.ts'
import type { AuditPorts } from './audit.ts'
import type { Range } from './read-answers.ts'
import type { Side } from './side.ts'
import type { Views } from './views.ts'

const isIn = ({ from, to }: Range, quote: Quote): boolean => quote.receivedAt >= from && quote.receivedAt < to

/** Ids of records of the topic that the store need not have. */
export interface Unstored {
  /** The store's group has not committed them yet. */
  readonly waiting: Set<string>
  /** The store's group put them into the dead letters. */
  readonly refused: Set<string>
}

/** Fills the topic's side. */
export async function readTopic(
  ports: AuditPorts,
  range: Range,
  letters: ReadonlySet<string>,
  side: Side,
): Promise<Unstored> {
  const committed = new Map(
    (await ports.broker.committed(ports.group))
      .filter(c => c.topic === ports.topic)
      .map(c => [c.partition, c.offset]),
  )
  const unstored: Unstored = { waiting: new Set(), refused: new Set() }
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
    if (message.offset >= (committed.get(message.partition) ?? 0)) unstored.waiting.add(quoteId(quote))
    else if (letters.has(letterIdAt(ports.group, message))) unstored.refused.add(quoteId(quote))
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
