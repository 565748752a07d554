import type { DecimalString } from '../../core/brands.ts'
import type { Codec } from '../../core/ports/codec.ts'
import type { Quote } from '../../core/records.ts'
import {
  assetId,
  count,
  credits,
  currency,
  decimal,
  encodeJson,
  has,
  micros,
  oneOf,
  parseJsonObject,
  positiveDecimal,
  providerId,
  strictText,
  text,
} from './fields.ts'
import type { Fields } from './fields.ts'
import { canonicalQuote } from './quote-canonical.ts'

const maxQuoteBytes = 16 * 1_024
const origins = ['live', 'backfill', 'replay', 'sandbox'] as const
const observers = ['source', 'receiver'] as const

/** Fields in one fixed order, so that one quote always has the same bytes. Absent ones are left out. */
const canonical = (q: Quote): object => ({
  kind: q.kind,
  provider: q.provider,
  asset: q.asset,
  symbol: q.symbol,
  sourceId: q.sourceId,
  currency: q.currency,
  price: q.price,
  marketCap: q.marketCap,
  volume24h: q.volume24h,
  supply: q.supply,
  change24h: q.change24h,
  observedAt: q.observedAt,
  observedBy: q.observedBy,
  receivedAt: q.receivedAt,
  revision: q.revision,
  origin: q.origin,
  runId: q.runId,
  credits: q.credits,
  rawRef: q.rawRef,
})

type Extras = Partial<Record<'marketCap' | 'volume24h' | 'supply' | 'change24h', DecimalString>>

function extras(f: Fields): Extras {
  const found: Extras = {}
  if (has(f, 'marketCap')) found.marketCap = positiveDecimal(f, 'marketCap')
  if (has(f, 'volume24h')) found.volume24h = positiveDecimal(f, 'volume24h')
  if (has(f, 'supply')) found.supply = positiveDecimal(f, 'supply')
  if (has(f, 'change24h')) found.change24h = decimal(f, 'change24h')
  return found
}

function readQuote(bytes: Uint8Array): Quote {
  const json = strictText(bytes, maxQuoteBytes)
  return canonicalQuote(json) ?? quoteOf(parseJsonObject(json))
}

function quoteOf(f: Fields): Quote {
  return {
    kind: oneOf(f, 'kind', ['quote']),
    provider: providerId(f, 'provider'),
    asset: assetId(f, 'asset'),
    symbol: text(f, 'symbol', 64),
    sourceId: text(f, 'sourceId', 128),
    currency: currency(f, 'currency'),
    price: positiveDecimal(f, 'price'),
    ...extras(f),
    observedAt: micros(f, 'observedAt'),
    observedBy: oneOf(f, 'observedBy', observers),
    receivedAt: micros(f, 'receivedAt'),
    revision: count(f, 'revision'),
    origin: oneOf(f, 'origin', origins),
    runId: text(f, 'runId', 256),
    credits: credits(f, 'credits'),
    rawRef: text(f, 'rawRef', 512),
  }
}

/**
 * A quote as JSON: prices are strings with the provider's digits, times integer microseconds.
 * Unknown fields are ignored, so that a newer producer can add one.
 */
export const quoteJson: Codec<Quote> = {
  schema: 'quote.v1+json',
  encode: quote => encodeJson(canonical(quote)),
  decode: readQuote,
}
