import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { TopicMessage } from '../core/ports/broker.ts'
import type { Codec } from '../core/ports/codec.ts'
import type { OutboxEntry } from '../core/ports/ledger.ts'
import type { DeadLetter, Gap, Metric, Quote } from '../core/records.ts'
import { deadLetterMessage, marketRecordMessage, quoteMessage } from '../topics/messages.ts'
import type { TopicTable } from '../topics/table.ts'
import type { Mapped, Provider } from './provider.ts'
import { failedGaps, gapsOf } from './publish-gaps.ts'
import { contextOf } from './saved-context.ts'

/** All that one answer says, and why there is no more of it. Depends on the entry and the providers alone. */
export interface Derived {
  readonly quotes: readonly Quote[]
  /** Figures of the whole market, and the gaps: what was asked for and did not come. */
  readonly market: readonly (Metric | Gap)[]
  /** Set where no mapping understood the answer: it belongs into the dead letters, and everything asked for is a gap. */
  readonly error?: CryptosError
}

/** Never throws: what can not be read is in the result. */
export function deriveEntry(providers: readonly Provider[], entry: OutboxEntry): Derived {
  try {
    const mapped = mapEntry(providers, entry)
    const { records, metrics = [] } = mapped
    return { quotes: records, market: [...metrics, ...gapsOf(entry, contextOf(entry), mapped)] }
  } catch (thrown) {
    const error = toCryptosError(thrown)
    return { quotes: [], market: failedGapsOf(entry, error), error }
  }
}

/** None where not even the saved context can be read: nothing tells then what was asked for. */
function failedGapsOf(entry: OutboxEntry, error: CryptosError): readonly Gap[] {
  try {
    return failedGaps(entry, contextOf(entry), error.message)
  } catch (thrown) {
    if (toCryptosError(thrown).code !== 'CRY_RECORD_INVALID') throw thrown
    return []
  }
}

/** The records of a raw answer, by its provider's own mapping. @throws CryptosError when nothing can be read from it */
export function mapEntry(providers: readonly Provider[], entry: OutboxEntry): Mapped {
  const dataset = providers.find(p => p.id === entry.provider)?.datasets.find(d => d.id === entry.dataset)
  if (!dataset)
    throw new CryptosError(
      'CRY_RECORD_INVALID',
      `no provider ${entry.provider} with a dataset ${entry.dataset}`,
    )
  return dataset.map(entry.body, contextOf(entry))
}

export const derivedMessages = (
  { quotes, market }: Derived,
  topics: TopicTable,
  codec: Codec<Quote>,
): readonly TopicMessage[] => [
  ...quotes.map(quote => quoteMessage(topics.quotes.name, quote, codec)),
  ...market.map(record => marketRecordMessage(topics, record)),
]

/** The letter of an answer, and gaps for all that it was asked for. */
export const deadMessages = (
  entry: OutboxEntry,
  letter: DeadLetter,
  error: CryptosError,
  topics: TopicTable,
): readonly TopicMessage[] => [
  deadLetterMessage(topics.deadLetters.name, letter),
  ...failedGapsOf(entry, error).map(gap => marketRecordMessage(topics, gap)),
]

/** Id of the dead letter of an answer that can not be published. */
export const letterIdOf = (answerId: string): string => `collectors|${answerId}`

/** The same answer is the same letter, whenever it is made. */
export function letterOf(entry: OutboxEntry, error: CryptosError): DeadLetter {
  const { answerId, provider, dataset, slot, runId, httpStatus, context, receivedAt, body } = entry
  return {
    kind: 'dead-letter',
    id: letterIdOf(answerId),
    stage: 'collectors',
    // No topic had it: the bytes are a provider's answer.
    topic: '',
    partition: -1,
    offset: -1,
    code: error.code,
    reason: error.message.slice(0, 500),
    at: receivedAt,
    bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    headers: {
      answerId,
      provider,
      dataset,
      slot,
      'run-id': runId,
      'http-status': String(httpStatus),
      context,
    },
  }
}
