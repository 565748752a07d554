import type { Broker } from '../../core/ports/broker.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { deriveEntry, letterIdOf } from '../../collectors/publish-messages.ts'
import { providers } from '../../collectors/registry.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { marketTopics } from '../../topics/messages.ts'
import { topics } from '../stores.ts'
import type { AuditPorts } from './audit.ts'
import type { AuditStore } from './store.ts'

/** The audit of this installation's stores. `topicRetentionMs` = of the topics of prices and of the records beside them. */
export function auditPorts(of: {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly stores: readonly AuditStore[]
  readonly topicRetentionMs?: number
}): AuditPorts {
  const retention = of.topicRetentionMs === undefined ? {} : { retentionMs: of.topicRetentionMs }
  return {
    ...{ ledger: of.ledger, broker: of.broker, stores: of.stores },
    codec: quoteJson,
    marketCodec: marketRecordJson,
    quotes: { topic: topics.quotes.name, ...retention },
    market: marketTopics.map(id => ({ topic: topics[id].name, ...retention })),
    deadLetters: topics.deadLetters,
    derive: entry => deriveEntry(providers, entry),
    letterIdOf,
  }
}
