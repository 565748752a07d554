import {
  type MarketRecord,
  marketRecordId,
  marketRecordVersion,
  type Quote,
  quoteId,
  quoteVersion,
} from '../../core/records.ts'
import { type IdParts, marketIdParts, quoteIdParts } from './groups.ts'

/** What a place knows of the records that it holds. */
export interface Identity<R> {
  id(record: R): string
  version(record: R): number
  /** The answer that it was made of; null where it was worked out. */
  rawRef(record: R): string | null
  price(record: R): string
  /** What an id tells. */
  parts(id: string): IdParts
}

export const quoteIdentity: Identity<Quote> = {
  id: quoteId,
  version: quoteVersion,
  rawRef: q => q.rawRef,
  price: q => q.price,
  parts: quoteIdParts,
}

export const marketIdentity: Identity<MarketRecord> = {
  id: marketRecordId,
  version: marketRecordVersion,
  rawRef: r => ('rawRef' in r ? r.rawRef : null),
  price: () => '',
  parts: marketIdParts,
}
