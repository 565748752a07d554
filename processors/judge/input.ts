import type { CryptosError } from '../../core/errors.ts'
import type { StoredMessage } from '../../core/ports/broker.ts'
import type { Gap, Quote } from '../../core/records.ts'
import { marketRecordJson } from '../../topics/codecs/market-record-json.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import type { TopicTable } from '../../topics/table.ts'
import { decodeMessage } from '../decode.ts'
import { consensusProvider } from '../../core/records.ts'

/** What the judge is told. */
export type Input = Quote | Gap

export type ReadInput =
  /** undefined = nothing for the judge: its own outputs. */
  | { readonly ok: true; readonly record: Input | undefined }
  | { readonly ok: false; readonly error: CryptosError }

/** One message of the topics that the judge reads; never throws. */
export function readInput(message: StoredMessage, topics: Pick<TopicTable, 'quotes'>): ReadInput {
  if (message.topic === topics.quotes.name) {
    const read = decodeMessage(message, quoteJson)
    return read.ok && read.record.provider === consensusProvider ? { ok: true, record: undefined } : read
  }
  const read = decodeMessage(message, marketRecordJson)
  if (!read.ok) return read
  return { ok: true, record: read.record.kind === 'gap' ? read.record : undefined }
}
