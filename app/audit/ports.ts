import type { Broker } from '../../core/ports/broker.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { deriveEntry, letterIdOf } from '../../collectors/publish-messages.ts'
import { providers } from '../../collectors/registry.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { marketTopics } from '../../topics/messages.ts'
import type { TopicId } from '../../topics/table.ts'
import { groupOf, topics } from '../stores.ts'
import type { AuditPorts } from './audit.ts'
import type { AuditReader } from './read-rows.ts'
import type { TopicToRead } from './read-topic.ts'

const topicToRead = (id: TopicId): TopicToRead => ({ topic: topics[id].name, group: groupOf(id) })

/** The audit of this installation's stores. */
export const auditPorts = (stores: {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly reader: AuditReader
}): AuditPorts => ({
  ledger: stores.ledger,
  broker: stores.broker,
  reader: stores.reader,
  codec: quoteJson,
  marketCodec: marketRecordJson,
  quotes: topicToRead('quotes'),
  market: marketTopics.map(topicToRead),
  deadLetters: topics.deadLetters,
  derive: entry => deriveEntry(providers, entry),
  letterIdOf,
})
